/** The environment variables the engine's code reads; `process.env` is one. */
export interface Environment {
  readonly [name: string]: string | undefined;
  readonly HOME?: string | undefined;
  readonly PATH?: string | undefined;
  readonly XDG_RUNTIME_DIR?: string | undefined;
  readonly DOCKER_HOST?: string | undefined;
  readonly DOCKER_CONTEXT?: string | undefined;
  readonly DOCKER_CONFIG?: string | undefined;
  readonly DOCKER_CERT_PATH?: string | undefined;
  readonly DOCKER_TLS_VERIFY?: string | undefined;
}
