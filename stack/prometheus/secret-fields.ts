import type { SecretFiles } from '../secrets/secret-files.ts';

/**
 * The secrets that Prometheus 3.5 to 3.14 can read from files (tested with promtool 3.5.3 and 3.14.0). Paths are relative to prometheus.yml, because
 * promtool checks that the files exist, in whichever directory it runs.
 */
export const prometheusSecrets: SecretFiles = {
  paths: 'relative',
  // Debian's Prometheus 3.5.3 keeps scraping with the old token after a reload, until the job itself changes.
  hasHashedPaths: true,
  fields: {
    'authorization.credentials': 'credentials_file',
    'basic_auth.password': 'password_file',
    'basic_auth.username': 'username_file',
    'http_headers.*.secrets': 'files',
    'marathon_sd_configs.auth_token': 'auth_token_file',
    'oauth2.client_certificate_key': 'client_certificate_key_file',
    'oauth2.client_secret': 'client_secret_file',
    'oci_sd_configs.key_passphrase': 'key_passphrase_file',
    'outscale_sd_configs.secret_key': 'secret_key_file',
    'remote_read.bearer_token': 'bearer_token_file',
    'remote_write.bearer_token': 'bearer_token_file',
    'scaleway_sd_configs.secret_key': 'secret_key_file',
    'scrape_configs.bearer_token': 'bearer_token_file',
    'tls_config.ca': 'ca_file',
    'tls_config.cert': 'cert_file',
    'tls_config.key': 'key_file',
  },
  visible: ['basic_auth.username', 'tls_config.ca', 'tls_config.cert'],
  inlineOnly: [
    'aws_sd_configs.secret_key',
    'azure_sd_configs.client_secret',
    'azuread.oauth.client_secret',
    'bearer_token',
    'consul_sd_configs.password',
    'consul_sd_configs.token',
    'ec2_sd_configs.secret_key',
    'ecs_sd_configs.secret_key',
    'elasticache_sd_configs.secret_key',
    'lightsail_sd_configs.secret_key',
    'msk_sd_configs.secret_key',
    'openstack_sd_configs.application_credential_secret',
    'openstack_sd_configs.password',
    'ovhcloud_sd_configs.application_secret',
    'ovhcloud_sd_configs.consumer_key',
    'proxy_connect_header.*',
    'rds_sd_configs.secret_key',
    'sigv4.secret_key',
    // It reads paths as they are, so not relative to prometheus.yml.
    'stackit_sd_configs.private_key',
    'stackit_sd_configs.service_account_key',
    'uyuni_sd_configs.password',
  ],
};
