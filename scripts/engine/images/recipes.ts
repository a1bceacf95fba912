/** How one program's image is made from Debian's packages; the layout is the official image's. */
export interface Recipe {
  /** Names the image: `promstack/<program>`. */
  readonly program: string;
  /** The official images it stands in for, without a registry. */
  readonly standsFor: readonly string[];
  /** Debian's packages; the first one's version names the image. */
  readonly packages: readonly string[];
  /** Packages that only some suites have: elsewhere their files are in one of `packages`. */
  readonly packagesOfSomeSuites: readonly string[];
  /** Where the image has each program, and where Debian has it. */
  readonly programs: Readonly<Record<string, string>>;
  /** What else of the packages the programs read, as folders. */
  readonly folders: readonly string[];
  /** The working directory, owned by the user it runs as. */
  readonly home: string;
  /** Whether the official image declares the working directory a volume. */
  readonly isVolume: boolean;
  readonly port: number;
  readonly entrypoint: readonly string[];
  readonly command: readonly string[];
}

/** Every program that Debian has. Grafana is not in Debian. */
export const recipes: readonly Recipe[] = [
  {
    program: 'prometheus',
    standsFor: ['prom/prometheus', 'prometheus/prometheus'],
    packages: ['prometheus'],
    packagesOfSomeSuites: ['promtool'],
    programs: { 'bin/prometheus': 'usr/bin/prometheus', 'bin/promtool': 'usr/bin/promtool' },
    folders: ['usr/share/prometheus/web'],
    home: '/prometheus',
    isVolume: true,
    port: 9090,
    entrypoint: ['/bin/prometheus'],
    command: ['--config.file=/etc/prometheus/prometheus.yml', '--storage.tsdb.path=/prometheus'],
  },
  {
    program: 'alertmanager',
    standsFor: ['prom/alertmanager', 'prometheus/alertmanager'],
    packages: ['prometheus-alertmanager'],
    packagesOfSomeSuites: [],
    programs: { 'bin/alertmanager': 'usr/bin/prometheus-alertmanager', 'bin/amtool': 'usr/bin/amtool' },
    // Debian's Alertmanager reads its default notification templates from files.
    folders: ['usr/share/prometheus/alertmanager'],
    home: '/alertmanager',
    isVolume: true,
    port: 9093,
    entrypoint: ['/bin/alertmanager'],
    command: ['--config.file=/etc/alertmanager/alertmanager.yml', '--storage.path=/alertmanager'],
  },
  {
    program: 'pushgateway',
    standsFor: ['prom/pushgateway', 'prometheus/pushgateway'],
    packages: ['prometheus-pushgateway'],
    packagesOfSomeSuites: [],
    programs: { 'bin/pushgateway': 'usr/bin/prometheus-pushgateway' },
    // Debian's Pushgateway reads its page from files.
    folders: ['usr/share/prometheus/pushgateway'],
    home: '/pushgateway',
    isVolume: false,
    port: 9091,
    entrypoint: ['/bin/pushgateway'],
    command: [],
  },
];

/** What every image holds beside its program: a shell with small tools, time zones, certificate authorities. */
export const basePackages: readonly string[] = ['busybox-static', 'tzdata', 'ca-certificates'];
/** Old names of time zones, such as US/Eastern, which some suites keep apart. */
export const basePackagesOfSomeSuites: readonly string[] = ['tzdata-legacy'];
