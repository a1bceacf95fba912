// Generated from the schema of stack.yml by `npm run generate`.

export interface StackKeys {
  /**
   * The version of the schema of this file; absent means that of the promstack that reads it. An older promstack refuses a newer one
   */
  version?: number;
  /**
   * The name of the stack, and the prefix of its containers, volumes and network; by default the name of the folder of stack.yml, in lower case and without other characters than letters, digits, - and _
   */
  name?: string;
  /**
   * Where the services run: on one container engine, or on the nodes of a Docker swarm
   */
  target?: 'engine' | 'swarm';
  /**
   * TZ inside the containers, such as Asia/Shanghai
   */
  timezone?: string;
  /**
   * The address to publish ports on
   */
  bind?: string;
  /**
   * Where the images come from
   */
  images?: {
    /**
     * registry pulls; packages builds from Debian's packages; archive only uses images loaded before (docker load); auto tries local images, the registry, then, for default images, packages
     */
    source?: 'registry' | 'packages' | 'archive' | 'auto';
    /**
     * A registry to use instead of each image's own
     */
    mirror?: string;
  };
  /**
   * Labels for all containers
   */
  labels?: {
    [k: string]: string;
  };
  /**
   * Networks that exist on the engine and that services join beside the stack's own, such as that of a compose project. A name stands for {name: NAME, services: [prometheus]}
   */
  networks?: (
    | string
    | {
        /**
         * The name of a network that exists on the engine
         */
        name: string;
        /**
         * The services that join it; by default prometheus
         *
         * @minItems 1
         */
        services?: string[];
      }
  )[];
  /**
   * TLS and logins of the servers; Grafana has its own login
   */
  access?: {
    /**
     * TLS for the servers: their certificate and key, or internal for certificates of a CA of the stack's own; none, the default, means HTTP
     */
    tls?:
      | {
          /**
           * The certificate of the servers in PEM format, with its intermediates, as in !file cert.pem
           */
          cert: string;
          /**
           * The private key of the certificate, as in !file key.pem
           */
          key: string;
          /**
           * The certificate authority that signed it, as in !file ca.pem; absent for one that every system trusts and for a self-signed certificate
           */
          ca?: string;
          /**
           * The name in the certificate by which promstack and the servers verify it; absent means its first name
           */
          server_name?: string;
        }
      | 'internal'
      | 'none';
    /**
     * Further names and addresses of the servers, for the certificates of tls: internal, such as monitoring.example.com
     */
    names?: string[];
    /**
     * The users that may log in to the servers, with their passwords, as in ann: !env ANN_PASSWORD; promstack and the servers use the first one
     */
    users?: {
      [k: string]: string;
    };
    /**
     * What differs for one server, by its service: prometheus, alertmanager, pushgateway, victoriametrics, or the kind of an exporter, such as blackbox
     */
    services?: {
      [k: string]: {
        /**
         * TLS for this server
         */
        tls?:
          | {
              /**
               * The certificate of the servers in PEM format, with its intermediates, as in !file cert.pem
               */
              cert: string;
              /**
               * The private key of the certificate, as in !file key.pem
               */
              key: string;
              /**
               * The certificate authority that signed it, as in !file ca.pem; absent for one that every system trusts and for a self-signed certificate
               */
              ca?: string;
              /**
               * The name in the certificate by which promstack and the servers verify it; absent means its first name
               */
              server_name?: string;
            }
          | 'internal'
          | 'none';
        /**
         * The users of this server; {} means that it asks for no login
         */
        users?: {
          [k: string]: string;
        };
      };
    };
  };
  /**
   * Targets that are discovered by the labels of containers, without a reload of Prometheus
   */
  discovery?: {
    /**
     * Scrape every container of the engine that has the label prometheus.io/scrape: "true"
     */
    labels?: boolean;
    /**
     * Only containers of these compose projects; absent means all containers
     *
     * @minItems 1
     */
    projects?: string[];
    /**
     * Only containers in one of these networks; absent means all containers
     *
     * @minItems 1
     */
    networks?: string[];
  };
  /**
   * Pushgateway keeps the metrics that short-lived jobs push until Prometheus scrapes them
   */
  pushgateway?: {
    /**
     * Whether the stack runs it
     */
    enabled?: boolean;
    /**
     * The image, with a tag or digest
     */
    image?: string;
    /**
     * The port on the host
     */
    port?: number;
    /**
     * How pushed metrics survive a restart
     */
    persistence?: {
      /**
       * How often to write pushed metrics to disk; a clean stop writes them too
       */
      interval?: string;
    };
    /**
     * How long to keep a group after its last push; absent means forever
     */
    ttl?:
      | string
      | {
          /**
           * For all other jobs; absent means forever
           */
          default?: string;
          /**
           * For individual jobs, by name
           */
          jobs?: {
            /**
             * A duration such as 15s, 5m or 1h30m
             */
            [k: string]: string;
          };
        };
    /**
     * An alert fires when the pushed groups of a job and instance have more than 80 % of this number of samples; the Pushgateway itself accepts more
     */
    group_sample_limit?: number;
    /**
     * Allow deleting all groups at once over HTTP
     */
    admin_api?: boolean;
    /**
     * Additional flags for the server, after promstack's own
     */
    extra_args?: string[];
    /**
     * Limits of the container; absent means none
     */
    resources?: {
      /**
       * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
       */
      memory?: number | string;
      /**
       * The CPU limit; 0.5 is half a CPU
       */
      cpus?: number;
    };
  };
  /**
   * Prometheus scrapes and stores metrics, evaluates rules and sends alerts to Alertmanager
   */
  prometheus?: {
    /**
     * Whether the stack runs it
     */
    enabled?: boolean;
    /**
     * server stores samples and evaluates rules; agent only sends them to remote_write, without rules, alerts and queries
     */
    mode?: 'server' | 'agent';
    /**
     * The image, with a tag or digest
     */
    image?: string;
    /**
     * The port on the host
     */
    port?: number;
    /**
     * The URL users reach it at, for links in notifications; absent means its port on this host
     */
    external_url?: string;
    /**
     * How often to scrape targets; jobs can override it
     */
    scrape_interval?: string;
    /**
     * When a scrape times out; absent means 10s, or the interval if that is shorter
     */
    scrape_timeout?: string;
    /**
     * How often to evaluate rules; groups can override it
     */
    evaluation_interval?: string;
    /**
     * Labels added to all alerts and samples that leave Prometheus
     */
    external_labels?: {
      [k: string]: string;
    };
    /**
     * Defaults of all jobs and rules, in Prometheus's syntax; the four keys above may be here
     */
    global?: {
      /**
       * A duration such as 15s, 5m or 1h30m
       */
      scrape_interval?: string;
      /**
       * A duration such as 15s, 5m or 1h30m
       */
      scrape_timeout?: string;
      /**
       * A duration such as 15s, 5m or 1h30m
       */
      evaluation_interval?: string;
      /**
       * Labels added to all alerts and samples that leave Prometheus
       */
      external_labels?: {
        [k: string]: string;
      };
      [k: string]: unknown;
    };
    /**
     * When samples are deleted; whichever limit is reached first
     */
    retention?: {
      /**
       * How long to keep samples
       */
      time?: string;
      /**
       * The maximum size of the samples on disk; absent means no limit
       */
      size?: string;
      /**
       * The maximum share of the disk that samples take; needs Prometheus 3.11
       */
      percentage?: number;
    };
    /**
     * Jobs in Prometheus's syntax, added to the stack's own
     */
    scrape_configs?: {
      /**
       * The name of the job, which must be unique
       */
      job_name: string;
      [k: string]: unknown;
    }[];
    /**
     * Files of further jobs, as paths in the container; those named in "files" are beside prometheus.yml
     */
    scrape_config_files?: string[];
    /**
     * Files of alerting and recording rules: paths and globs, relative to stack.yml
     */
    rules?: string[];
    /**
     * Load promstack's own alerting rules
     */
    shipped_rules?: boolean;
    /**
     * What the annotation runbook_url of promstack's own alerts begins with; the alert's name follows, in lower case. Absent means no such annotation
     */
    runbook_base?: string;
    /**
     * How alerts are sent, in Prometheus's syntax
     */
    alerting?: {
      /**
       * Relabels or drops alerts before they are sent
       */
      alert_relabel_configs?: {
        [k: string]: unknown;
      }[];
      /**
       * Further Alertmanagers, in addition to the stack's own
       */
      alertmanagers?: {
        [k: string]: unknown;
      }[];
    };
    /**
     * Remote storage to send samples to, in Prometheus's syntax
     */
    remote_write?: {
      [k: string]: unknown;
    }[];
    /**
     * Remote storage to query, in Prometheus's syntax
     */
    remote_read?: {
      [k: string]: unknown;
    }[];
    /**
     * Settings of the storage, in Prometheus's syntax
     */
    storage?: {
      [k: string]: unknown;
    };
    /**
     * How OTLP metrics are translated, in Prometheus's syntax
     */
    otlp?: {
      [k: string]: unknown;
    };
    /**
     * Where traces are sent, in Prometheus's syntax
     */
    tracing?: {
      [k: string]: unknown;
    };
    /**
     * Settings of the Go runtime, in Prometheus's syntax
     */
    runtime?: {
      [k: string]: unknown;
    };
    /**
     * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
     */
    files?: string[];
    /**
     * Additional flags for the server, after promstack's own
     */
    extra_args?: string[];
    /**
     * Limits of the container; absent means none
     */
    resources?: {
      /**
       * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
       */
      memory?: number | string;
      /**
       * The CPU limit; 0.5 is half a CPU
       */
      cpus?: number;
    };
  };
  /**
   * Alertmanager groups and routes alerts and notifies the receivers
   */
  alertmanager?: {
    /**
     * Whether the stack runs it
     */
    enabled?: boolean;
    /**
     * The image, with a tag or digest
     */
    image?: string;
    /**
     * The port on the host
     */
    port?: number;
    /**
     * The URL users reach it at, for links in notifications; absent means its port on this host
     */
    external_url?: string;
    /**
     * Defaults for receivers, in Alertmanager's syntax
     */
    global?: {
      [k: string]: unknown;
    };
    /**
     * The root of the routing tree, in Alertmanager's syntax, in place of the default one, which groups by alertname and job; a route without group_by puts all alerts into one notification
     */
    route?: {
      [k: string]: unknown;
    };
    /**
     * Receivers of notifications, in Alertmanager's syntax
     */
    receivers?: {
      /**
       * The name that routes use
       */
      name: string;
      [k: string]: unknown;
    }[];
    /**
     * Rules by which alerts mute other alerts, in Alertmanager's syntax
     */
    inhibit_rules?: {
      [k: string]: unknown;
    }[];
    /**
     * Times when routes are active or muted, in Alertmanager's syntax
     */
    time_intervals?: {
      /**
       * The name that routes use
       */
      name: string;
      [k: string]: unknown;
    }[];
    /**
     * Alertmanager's older key for time_intervals
     */
    mute_time_intervals?: {
      /**
       * The name that routes use
       */
      name: string;
      [k: string]: unknown;
    }[];
    /**
     * Files of notification templates: paths and globs, relative to stack.yml
     */
    templates?: string[];
    /**
     * Where traces are sent, in Alertmanager's syntax
     */
    tracing?: {
      [k: string]: unknown;
    };
    /**
     * Where alerts and notifications are recorded, in Alertmanager's syntax, in place of the file that `promstack alert log` reads
     */
    event_recorder?: {
      [k: string]: unknown;
    };
    /**
     * Whether alerts and notifications are recorded for `promstack alert log`; by default, where the tag of the image says 0.33 or newer, which can
     */
    alert_log?: boolean;
    /**
     * How long to keep silences and the notification log
     */
    retention?: string;
    /**
     * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
     */
    files?: string[];
    /**
     * Additional flags for the server, after promstack's own
     */
    extra_args?: string[];
    /**
     * Limits of the container; absent means none
     */
    resources?: {
      /**
       * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
       */
      memory?: number | string;
      /**
       * The CPU limit; 0.5 is half a CPU
       */
      cpus?: number;
    };
  };
  /**
   * Grafana shows the data of Prometheus in dashboards
   */
  grafana?: {
    /**
     * Whether the stack runs it
     */
    enabled?: boolean;
    /**
     * The image, with a tag or digest
     */
    image?: string;
    /**
     * The port on the host
     */
    port?: number;
    /**
     * The password of the user admin; absent means a generated one, which promstack password shows
     */
    admin_password?: string;
    /**
     * Access without login: none, or view everything, with any query and the datasources' url, user, database and jsonData
     */
    anonymous?: 'off' | 'viewer';
    /**
     * The URL users open when Grafana is behind a reverse proxy; the proxy must strip its path
     */
    root_url?: string;
    /**
     * Datasources in Grafana's provisioning syntax, added to the stack's own
     */
    datasources?: {
      /**
       * Its name, by which Grafana recognizes it
       */
      name: string;
      /**
       * The plugin, such as prometheus, loki or postgres
       */
      type: string;
      /**
       * proxy: queries go through Grafana's server; direct: the browser sends them
       */
      access?: 'proxy' | 'direct';
      /**
       * The organization it belongs to, which must exist
       */
      orgId?: number;
      /**
       * The uid that dashboards use; absent means one made from the name
       */
      uid?: string;
      /**
       * Its address as seen from Grafana's container
       */
      url?: string;
      /**
       * The user of a database
       */
      user?: string;
      /**
       * The database on a database server
       */
      database?: string;
      /**
       * Use basic auth
       */
      basicAuth?: boolean;
      /**
       * The user for basic auth
       */
      basicAuthUser?: string;
      /**
       * Forward cookies of the browser
       */
      withCredentials?: boolean;
      /**
       * Use it in new panels; one per organization
       */
      isDefault?: boolean;
      /**
       * The plugin's own settings
       */
      jsonData?: {
        [k: string]: unknown;
      };
      /**
       * The plugin's own secrets, such as basicAuthPassword
       */
      secureJsonData?: {
        [k: string]: string;
      };
      /**
       * Links from its results to other queries
       */
      correlations?: {
        [k: string]: unknown;
      }[];
      /**
       * Without effect here: a datasource is replaced by what is in this file, whatever its version
       */
      version?: number;
      /**
       * Allow editing it in the browser, until the next change restores it
       */
      editable?: boolean;
    }[];
    /**
     * Files of dashboards: paths, folders and globs, relative to stack.yml; their folders become folders in Grafana
     */
    dashboards?: string[];
    /**
     * Load promstack's own dashboards
     */
    shipped_dashboards?: boolean;
    /**
     * The mail server for alerts and invitations
     */
    smtp?: {
      /**
       * The mail server and its port
       */
      host: string;
      /**
       * The user to log in with; absent means no login
       */
      user?: string;
      /**
       * The password to log in with
       */
      password?: string;
      /**
       * The sender of the mails
       */
      from_address: string;
      /**
       * The sender's name
       */
      from_name?: string;
      /**
       * Whether to encrypt the connection: if the server supports it, always, or never
       */
      starttls?: 'opportunistic' | 'mandatory' | 'never';
      /**
       * Skip the verification of the server's certificate
       */
      skip_verify?: boolean;
    };
    /**
     * A database server to use instead of the file in the data volume
     */
    database?: {
      /**
       * The kind of server
       */
      type: 'postgres' | 'mysql';
      /**
       * Its address as seen from Grafana's container, such as db:5432
       */
      host: string;
      /**
       * The database, which must exist
       */
      name?: string;
      /**
       * The user to log in with
       */
      user: string;
      /**
       * The password to log in with
       */
      password: string;
      /**
       * Grafana's ssl_mode: disable, require, verify-full, …
       */
      ssl_mode?: string;
    };
    /**
     * Additional settings of grafana.ini, by section
     */
    config?: {
      /**
       * Settings of the section
       */
      [k: string]: {
        [k: string]: unknown;
      };
    };
    /**
     * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
     */
    files?: string[];
    /**
     * Limits of the container; absent means none
     */
    resources?: {
      /**
       * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
       */
      memory?: number | string;
      /**
       * The CPU limit; 0.5 is half a CPU
       */
      cpus?: number;
    };
  };
  /**
   * A webhook receiver that shows the notifications of Alertmanager, for testing
   */
  sink?: {
    /**
     * Whether the stack runs it
     */
    enabled?: boolean;
    /**
     * The port on the host
     */
    port?: number;
    /**
     * Limits of the container; absent means none
     */
    resources?: {
      /**
       * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
       */
      memory?: number | string;
      /**
       * The CPU limit; 0.5 is half a CPU
       */
      cpus?: number;
    };
  };
  /**
   * A generator that pushes sample metrics to the Pushgateway, with occasional incidents, for demos
   */
  traffic?: {
    /**
     * Whether the stack runs it
     */
    enabled?: boolean;
    /**
     * Limits of the container; absent means none
     */
    resources?: {
      /**
       * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
       */
      memory?: number | string;
      /**
       * The CPU limit; 0.5 is half a CPU
       */
      cpus?: number;
    };
  };
  /**
   * A store that keeps samples for longer than Prometheus: one of victoriametrics and remote
   */
  long_term?: {
    /**
     * VictoriaMetrics, as a service of the stack with a volume of its own
     */
    victoriametrics?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The image, with a tag or digest
       */
      image?: string;
      /**
       * The port on the host; absent means that none is published
       */
      port?: number;
      /**
       * How long to keep samples: hours, days, weeks, months or years (h, d, w, M, y)
       */
      retention?: string;
      /**
       * Additional flags for the server, after promstack's own
       */
      extra_args?: string[];
      /**
       * Limits of the container; absent means none
       */
      resources?: {
        /**
         * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
         */
        memory?: number | string;
        /**
         * The CPU limit; 0.5 is half a CPU
         */
        cpus?: number;
      };
    };
    /**
     * A store outside of the stack, such as Mimir, Thanos or Grafana Cloud
     */
    remote?: {
      /**
       * Where Prometheus sends all samples by remote write, as seen from Prometheus's container
       */
      write: string;
      /**
       * The base address of its query API, without /api/v1/query, for the proof and Grafana's datasource; absent means neither
       */
      read?: string;
      /**
       * A login for both addresses
       */
      basic_auth?: {
        /**
         * The user
         */
        username: string;
        /**
         * The password
         */
        password: string;
      };
      /**
       * A token for both addresses
       */
      authorization?: {
        /**
         * The scheme before the credentials
         */
        type?: string;
        /**
         * The token
         */
        credentials: string;
      };
      /**
       * Headers for both addresses, such as X-Scope-OrgID
       */
      headers?: {
        [k: string]: string;
      };
      /**
       * TLS for both addresses
       */
      tls_config?: {
        /**
         * The certificate authority, as in !file ca.pem
         */
        ca?: string;
        /**
         * The certificate of this client
         */
        cert?: string;
        /**
         * The key of that certificate
         */
        key?: string;
        /**
         * The name in the server's certificate
         */
        server_name?: string;
        /**
         * Skip the verification of its certificate
         */
        insecure_skip_verify?: boolean;
      };
      /**
       * Settings of the queue, in Prometheus's syntax
       */
      queue_config?: {
        [k: string]: unknown;
      };
      /**
       * Relabels or drops samples before they are sent, in Prometheus's syntax
       */
      write_relabel_configs?: {
        [k: string]: unknown;
      }[];
    };
  };
  /**
   * Programs that give Prometheus the metrics of hosts, sites, servers and databases; each runs when its key is there
   */
  exporters?: {
    /**
     * CPU, memory, disks and file systems of the engine's host; it reads the host's files
     */
    node?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The image, with a tag or digest
       */
      image?: string;
      /**
       * The port on the host; absent means that none is published
       */
      port?: number;
      /**
       * How often to scrape it; absent means prometheus.scrape_interval
       */
      scrape_interval?: string;
      /**
       * Settings of its job in Prometheus's syntax, such as job_name
       */
      scrape?: {
        [k: string]: unknown;
      };
      /**
       * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
       */
      files?: string[];
      /**
       * Additional flags for the server, after promstack's own
       */
      extra_args?: string[];
      /**
       * Limits of the container; absent means none
       */
      resources?: {
        /**
         * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
         */
        memory?: number | string;
        /**
         * The CPU limit; 0.5 is half a CPU
         */
        cpus?: number;
      };
      /**
       * Collectors to enable in addition to those that are on by default
       */
      collectors?: string[];
    };
    /**
     * Groups of processes of the engine's host: CPU, memory, threads; it sees all processes of the host
     */
    process?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The image, with a tag or digest
       */
      image?: string;
      /**
       * The port on the host; absent means that none is published
       */
      port?: number;
      /**
       * How often to scrape it; absent means prometheus.scrape_interval
       */
      scrape_interval?: string;
      /**
       * Settings of its job in Prometheus's syntax, such as job_name
       */
      scrape?: {
        [k: string]: unknown;
      };
      /**
       * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
       */
      files?: string[];
      /**
       * Additional flags for the server, after promstack's own
       */
      extra_args?: string[];
      /**
       * Limits of the container; absent means none
       */
      resources?: {
        /**
         * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
         */
        memory?: number | string;
        /**
         * The CPU limit; 0.5 is half a CPU
         */
        cpus?: number;
      };
      /**
       * Groups of processes, in process-exporter's syntax; without it each program is a group
       */
      names?: {
        [k: string]: unknown;
      }[];
    };
    /**
     * Probes of web sites and other servers: targets by module, such as http_2xx or tcp_connect
     */
    blackbox?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The image, with a tag or digest
       */
      image?: string;
      /**
       * The port on the host; absent means that none is published
       */
      port?: number;
      /**
       * How often to scrape it; absent means prometheus.scrape_interval
       */
      scrape_interval?: string;
      /**
       * Settings of its job in Prometheus's syntax, such as job_name
       */
      scrape?: {
        [k: string]: unknown;
      };
      /**
       * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
       */
      files?: string[];
      /**
       * Additional flags for the server, after promstack's own
       */
      extra_args?: string[];
      /**
       * Limits of the container; absent means none
       */
      resources?: {
        /**
         * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
         */
        memory?: number | string;
        /**
         * The CPU limit; 0.5 is half a CPU
         */
        cpus?: number;
      };
      /**
       * Further modules, or others in place of the shipped ones, in blackbox_exporter's syntax
       */
      modules?: {
        [k: string]: {
          [k: string]: unknown;
        };
      };
      /**
       * Targets of a module, such as http_2xx: [https://shop.example]
       */
      [k: string]:
        | {
            [k: string]: unknown;
          }
        | boolean
        | string
        | number
        | string[]
        | {
            /**
             * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
             */
            memory?: number | string;
            /**
             * The CPU limit; 0.5 is half a CPU
             */
            cpus?: number;
          }
        | {
            [k: string]: {
              [k: string]: unknown;
            };
          }
        | undefined;
    };
    /**
     * Switches, routers and other devices that speak SNMP: targets by module, such as if_mib
     */
    snmp?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The image, with a tag or digest
       */
      image?: string;
      /**
       * The port on the host; absent means that none is published
       */
      port?: number;
      /**
       * How often to scrape it; absent means prometheus.scrape_interval
       */
      scrape_interval?: string;
      /**
       * Settings of its job in Prometheus's syntax, such as job_name
       */
      scrape?: {
        [k: string]: unknown;
      };
      /**
       * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
       */
      files?: string[];
      /**
       * Additional flags for the server, after promstack's own
       */
      extra_args?: string[];
      /**
       * Limits of the container; absent means none
       */
      resources?: {
        /**
         * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
         */
        memory?: number | string;
        /**
         * The CPU limit; 0.5 is half a CPU
         */
        cpus?: number;
      };
      /**
       * Your snmp.yml: modules and auths. A path relative to stack.yml
       */
      config?: string;
      /**
       * The auth of snmp.yml with the community or the user of the targets
       */
      auth?: string;
      /**
       * Targets of a module, such as if_mib: [192.0.2.1]
       */
      [k: string]:
        | {
            [k: string]: unknown;
          }
        | boolean
        | string
        | number
        | string[]
        | {
            /**
             * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
             */
            memory?: number | string;
            /**
             * The CPU limit; 0.5 is half a CPU
             */
            cpus?: number;
          }
        | undefined;
    };
    /**
     * A PostgreSQL database: connections, transactions, locks, sizes, replication
     */
    postgres?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The image, with a tag or digest
       */
      image?: string;
      /**
       * The port on the host; absent means that none is published
       */
      port?: number;
      /**
       * How often to scrape it; absent means prometheus.scrape_interval
       */
      scrape_interval?: string;
      /**
       * Settings of its job in Prometheus's syntax, such as job_name
       */
      scrape?: {
        [k: string]: unknown;
      };
      /**
       * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
       */
      files?: string[];
      /**
       * Additional flags for the server, after promstack's own
       */
      extra_args?: string[];
      /**
       * Limits of the container; absent means none
       */
      resources?: {
        /**
         * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
         */
        memory?: number | string;
        /**
         * The CPU limit; 0.5 is half a CPU
         */
        cpus?: number;
      };
      /**
       * The database, as postgresql://user:password@host:5432/name?sslmode=disable
       */
      dsn?: string;
      /**
       * Several targets, by name, each with its own exporter and the keys above; those beside it are for all
       */
      instances?: {
        [k: string]: {
          /**
           * Whether the stack runs it
           */
          enabled?: boolean;
          /**
           * The image, with a tag or digest
           */
          image?: string;
          /**
           * The port on the host; absent means that none is published
           */
          port?: number;
          /**
           * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
           */
          files?: string[];
          /**
           * Additional flags for the server, after promstack's own
           */
          extra_args?: string[];
          /**
           * Limits of the container; absent means none
           */
          resources?: {
            /**
             * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
             */
            memory?: number | string;
            /**
             * The CPU limit; 0.5 is half a CPU
             */
            cpus?: number;
          };
          /**
           * The database, as postgresql://user:password@host:5432/name?sslmode=disable
           */
          dsn?: string;
        };
      };
    };
    /**
     * A Redis or Valkey server: memory, clients, commands, keys, replication
     */
    redis?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The image, with a tag or digest
       */
      image?: string;
      /**
       * The port on the host; absent means that none is published
       */
      port?: number;
      /**
       * How often to scrape it; absent means prometheus.scrape_interval
       */
      scrape_interval?: string;
      /**
       * Settings of its job in Prometheus's syntax, such as job_name
       */
      scrape?: {
        [k: string]: unknown;
      };
      /**
       * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
       */
      files?: string[];
      /**
       * Additional flags for the server, after promstack's own
       */
      extra_args?: string[];
      /**
       * Limits of the container; absent means none
       */
      resources?: {
        /**
         * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
         */
        memory?: number | string;
        /**
         * The CPU limit; 0.5 is half a CPU
         */
        cpus?: number;
      };
      /**
       * The server, as HOST:6379, or rediss://HOST:6379 with TLS
       */
      address?: string;
      /**
       * The user, where the server has several
       */
      user?: string;
      /**
       * The password
       */
      password?: string;
      /**
       * Several targets, by name, each with its own exporter and the keys above; those beside it are for all
       */
      instances?: {
        [k: string]: {
          /**
           * Whether the stack runs it
           */
          enabled?: boolean;
          /**
           * The image, with a tag or digest
           */
          image?: string;
          /**
           * The port on the host; absent means that none is published
           */
          port?: number;
          /**
           * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
           */
          files?: string[];
          /**
           * Additional flags for the server, after promstack's own
           */
          extra_args?: string[];
          /**
           * Limits of the container; absent means none
           */
          resources?: {
            /**
             * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
             */
            memory?: number | string;
            /**
             * The CPU limit; 0.5 is half a CPU
             */
            cpus?: number;
          };
          /**
           * The server, as HOST:6379, or rediss://HOST:6379 with TLS
           */
          address?: string;
          /**
           * The user, where the server has several
           */
          user?: string;
          /**
           * The password
           */
          password?: string;
        };
      };
    };
    /**
     * A MySQL or MariaDB server: connections, queries, InnoDB, replication
     */
    mysqld?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The image, with a tag or digest
       */
      image?: string;
      /**
       * The port on the host; absent means that none is published
       */
      port?: number;
      /**
       * How often to scrape it; absent means prometheus.scrape_interval
       */
      scrape_interval?: string;
      /**
       * Settings of its job in Prometheus's syntax, such as job_name
       */
      scrape?: {
        [k: string]: unknown;
      };
      /**
       * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
       */
      files?: string[];
      /**
       * Additional flags for the server, after promstack's own
       */
      extra_args?: string[];
      /**
       * Limits of the container; absent means none
       */
      resources?: {
        /**
         * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
         */
        memory?: number | string;
        /**
         * The CPU limit; 0.5 is half a CPU
         */
        cpus?: number;
      };
      /**
       * The server, as mysql://user:password@host:3306
       */
      dsn?: string;
      /**
       * Several targets, by name, each with its own exporter and the keys above; those beside it are for all
       */
      instances?: {
        [k: string]: {
          /**
           * Whether the stack runs it
           */
          enabled?: boolean;
          /**
           * The image, with a tag or digest
           */
          image?: string;
          /**
           * The port on the host; absent means that none is published
           */
          port?: number;
          /**
           * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
           */
          files?: string[];
          /**
           * Additional flags for the server, after promstack's own
           */
          extra_args?: string[];
          /**
           * Limits of the container; absent means none
           */
          resources?: {
            /**
             * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
             */
            memory?: number | string;
            /**
             * The CPU limit; 0.5 is half a CPU
             */
            cpus?: number;
          };
          /**
           * The server, as mysql://user:password@host:3306
           */
          dsn?: string;
        };
      };
    };
    /**
     * An nginx server: connections and requests
     */
    nginx?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The image, with a tag or digest
       */
      image?: string;
      /**
       * The port on the host; absent means that none is published
       */
      port?: number;
      /**
       * How often to scrape it; absent means prometheus.scrape_interval
       */
      scrape_interval?: string;
      /**
       * Settings of its job in Prometheus's syntax, such as job_name
       */
      scrape?: {
        [k: string]: unknown;
      };
      /**
       * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
       */
      files?: string[];
      /**
       * Additional flags for the server, after promstack's own
       */
      extra_args?: string[];
      /**
       * Limits of the container; absent means none
       */
      resources?: {
        /**
         * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
         */
        memory?: number | string;
        /**
         * The CPU limit; 0.5 is half a CPU
         */
        cpus?: number;
      };
      /**
       * The status page of the server, as http://nginx:8080/stub_status
       */
      url?: string;
      /**
       * Several targets, by name, each with its own exporter and the keys above; those beside it are for all
       */
      instances?: {
        [k: string]: {
          /**
           * Whether the stack runs it
           */
          enabled?: boolean;
          /**
           * The image, with a tag or digest
           */
          image?: string;
          /**
           * The port on the host; absent means that none is published
           */
          port?: number;
          /**
           * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
           */
          files?: string[];
          /**
           * Additional flags for the server, after promstack's own
           */
          extra_args?: string[];
          /**
           * Limits of the container; absent means none
           */
          resources?: {
            /**
             * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
             */
            memory?: number | string;
            /**
             * The CPU limit; 0.5 is half a CPU
             */
            cpus?: number;
          };
          /**
           * The status page of the server, as http://nginx:8080/stub_status
           */
          url?: string;
        };
      };
    };
    /**
     * An Apache HTTP server: requests, workers, traffic
     */
    apache?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The image, with a tag or digest
       */
      image?: string;
      /**
       * The port on the host; absent means that none is published
       */
      port?: number;
      /**
       * How often to scrape it; absent means prometheus.scrape_interval
       */
      scrape_interval?: string;
      /**
       * Settings of its job in Prometheus's syntax, such as job_name
       */
      scrape?: {
        [k: string]: unknown;
      };
      /**
       * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
       */
      files?: string[];
      /**
       * Additional flags for the server, after promstack's own
       */
      extra_args?: string[];
      /**
       * Limits of the container; absent means none
       */
      resources?: {
        /**
         * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
         */
        memory?: number | string;
        /**
         * The CPU limit; 0.5 is half a CPU
         */
        cpus?: number;
      };
      /**
       * The status page of the server, as http://apache/server-status?auto
       */
      url?: string;
      /**
       * Several targets, by name, each with its own exporter and the keys above; those beside it are for all
       */
      instances?: {
        [k: string]: {
          /**
           * Whether the stack runs it
           */
          enabled?: boolean;
          /**
           * The image, with a tag or digest
           */
          image?: string;
          /**
           * The port on the host; absent means that none is published
           */
          port?: number;
          /**
           * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
           */
          files?: string[];
          /**
           * Additional flags for the server, after promstack's own
           */
          extra_args?: string[];
          /**
           * Limits of the container; absent means none
           */
          resources?: {
            /**
             * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
             */
            memory?: number | string;
            /**
             * The CPU limit; 0.5 is half a CPU
             */
            cpus?: number;
          };
          /**
           * The status page of the server, as http://apache/server-status?auto
           */
          url?: string;
        };
      };
    };
    /**
     * Metrics that applications send by StatsD, to port 9125 of statsd-exporter by UDP or TCP
     */
    statsd?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The image, with a tag or digest
       */
      image?: string;
      /**
       * The port on the host; absent means that none is published
       */
      port?: number;
      /**
       * How often to scrape it; absent means prometheus.scrape_interval
       */
      scrape_interval?: string;
      /**
       * Settings of its job in Prometheus's syntax, such as job_name
       */
      scrape?: {
        [k: string]: unknown;
      };
      /**
       * Files to put beside its config under the same relative path, such as targets and certificates: paths and globs, relative to stack.yml
       */
      files?: string[];
      /**
       * Additional flags for the server, after promstack's own
       */
      extra_args?: string[];
      /**
       * Limits of the container; absent means none
       */
      resources?: {
        /**
         * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
         */
        memory?: number | string;
        /**
         * The CPU limit; 0.5 is half a CPU
         */
        cpus?: number;
      };
      /**
       * Which metrics and labels the dotted names become, in statsd_exporter's syntax
       */
      mappings?: {
        [k: string]: unknown;
      }[];
    };
    /**
     * HAProxy's own page of metrics, which Prometheus scrapes without an exporter
     */
    haproxy?: {
      /**
       * Whether the stack runs it
       */
      enabled?: boolean;
      /**
       * The addresses of its page of metrics, as haproxy:8405
       */
      targets?: string[];
      /**
       * Settings of its job in Prometheus's syntax
       */
      scrape?: {
        /**
         * The path of its metrics
         */
        metrics_path?: string;
        /**
         * How often to scrape it
         */
        scrape_interval?: string;
        [k: string]: unknown;
      };
    };
    /**
     * Exporters of any image, by name: image, port, args, env, files and scrape
     */
    custom?: {
      [k: string]: {
        /**
         * Whether the stack runs it
         */
        enabled?: boolean;
        /**
         * The image, with a tag or digest
         */
        image: string;
        /**
         * The port in its container at which it serves its metrics
         */
        port: number;
        /**
         * The user it runs as, as uid:gid
         */
        user?: string;
        /**
         * Its arguments
         */
        args?: string[];
        /**
         * Its environment; secrets go into files
         */
        env?: {
          [k: string]: string;
        };
        /**
         * Its files, by their names in /etc/promstack/current: strings, `!env` or `!file`
         */
        files?: {
          [k: string]: string;
        };
        /**
         * Settings of its job in Prometheus's syntax
         */
        scrape?: {
          /**
           * The path of its metrics
           */
          metrics_path?: string;
          /**
           * How often to scrape it
           */
          scrape_interval?: string;
          [k: string]: unknown;
        };
        /**
         * Limits of the container; absent means none
         */
        resources?: {
          /**
           * The memory limit: bytes, or a size such as 512MB, 512m or 512Mi (powers of 1024)
           */
          memory?: number | string;
          /**
           * The CPU limit; 0.5 is half a CPU
           */
          cpus?: number;
        };
      };
    };
  };
  /**
   * An alert that always fires, and calls a URL through Prometheus and Alertmanager, so that a service outside notices when one of them no longer works
   */
  heartbeat?: {
    /**
     * The URL to call: of a service outside of this machine, which notifies you when the calls stop
     */
    url: string;
    /**
     * How often to call it; at least 10s
     */
    every?: string;
  };
  /**
   * How the stack runs on a swarm, with the target swarm
   */
  swarm?: {
    /**
     * How many tasks of a service run; of the others it is one, or one on each node
     */
    replicas?: {
      /**
       * How many Prometheus servers scrape and evaluate the same, each on a node of its own
       */
      prometheus?: number;
      /**
       * How many Alertmanagers form a cluster, each on a node of its own
       */
      alertmanager?: number;
    };
    /**
     * The external label by which the samples of the Prometheus replicas differ; alerts are sent without it
     */
    replica_label?: string;
    /**
     * By service, the nodes that its tasks may run on, in Docker's syntax, such as pushgateway: [node.labels.disk == ssd]
     */
    constraints?: {
      [k: string]: string[];
    };
  };
}
