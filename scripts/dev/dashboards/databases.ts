import type { DashboardPlan } from './dashboard.ts';
import { instances, of, rates, reachable } from './instances.ts';
import { graph, type PanelPlan, stat } from './panels.ts';
import { orangeFrom, orangeThenRed, redFrom, zeroOrOne } from './thresholds.ts';

function connections(expr: string, alert: string): PanelPlan {
  const options = { unit: 'percentunit', decimals: 0, thresholds: orangeThenRed(0.85, 0.95), links: [{ alert }] };
  return stat('Connections', 'Connections in use, of those that the server allows.', { connections: expr }, options);
}

const pg = of('postgres');

/** Connections, transactions and sizes of PostgreSQL databases. */
export const postgres: DashboardPlan = {
  uid: 'promstack-postgres',
  title: 'PostgreSQL',
  description: 'Connections, transactions and sizes of databases.',
  variables: [instances('pg_up')],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        reachable(`pg_up${pg}`, 'PostgresDown'),
        connections(
          `max(sum by (instance) (pg_stat_database_numbackends${pg}) / on (instance) max by (instance) (pg_settings_max_connections${pg}))`,
          'PostgresConnectionsHigh',
        ),
        stat(
          'Deadlocks',
          'Transactions of the last hour that were ended because they waited for each other.',
          { deadlocks: `sum(increase(pg_stat_database_deadlocks${pg}[1h]))` },
          { decimals: 0, thresholds: orangeFrom(0.5), links: [{ alert: 'PostgresDeadlocks' }] },
        ),
        stat(
          'Size',
          'Size of all databases of the selected servers.',
          { size: `sum(pg_database_size_bytes${pg})` },
          { unit: 'bytes', quiet: true, links: [{ panel: 'Size by database' }] },
        ),
      ],
    },
    {
      heading: 'Load',
      height: 9,
      panels: [
        rates('Transactions', 'Transactions per second that were committed and rolled back.', {
          'committed {{datname}}': `pg_stat_database_xact_commit${pg}`,
          'rolled back {{datname}}': `pg_stat_database_xact_rollback${pg}`,
        }),
        graph(
          'Connections by state',
          'Connections of clients. Many idle in transaction: an application forgets to end its transactions.',
          { '{{state}}': `sum by (state) (pg_stat_activity_count${pg})` },
          { stacked: true },
        ),
        rates('Rows', 'Rows per second that queries read and changed.', {
          fetched: `pg_stat_database_tup_fetched${pg}`,
          inserted: `pg_stat_database_tup_inserted${pg}`,
          updated: `pg_stat_database_tup_updated${pg}`,
          deleted: `pg_stat_database_tup_deleted${pg}`,
        }),
      ],
    },
    {
      heading: 'Storage',
      height: 9,
      panels: [
        graph(
          'Size by database',
          'Size on disk, indexes included.',
          { '{{datname}}': `pg_database_size_bytes${pg}` },
          { unit: 'bytes' },
        ),
        graph(
          'Cache hits',
          'Share of blocks that were in memory. Far below 99%: shared_buffers may be too small.',
          {
            '{{datname}}': `rate(pg_stat_database_blks_hit${pg}[$__rate_interval]) / (rate(pg_stat_database_blks_hit[$__rate_interval]) + rate(pg_stat_database_blks_read[$__rate_interval]) > 0)`,
          },
          { unit: 'percentunit', softMax: 1 },
        ),
        graph(
          'Locks by mode',
          'Locks that transactions hold.',
          { '{{mode}}': `sum by (mode) (pg_locks_count${pg}) > 0` },
          { stacked: true },
        ),
      ],
    },
  ],
};

const rd = of('redis');

/** Memory, clients and commands of Redis and Valkey servers. */
export const redis: DashboardPlan = {
  uid: 'promstack-redis',
  title: 'Redis',
  description: 'Memory, clients and commands of Redis and Valkey servers.',
  variables: [instances('redis_up')],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        reachable(`redis_up${rd}`, 'RedisDown'),
        connections(`max(redis_connected_clients${rd} / redis_config_maxclients)`, 'RedisConnectionsHigh'),
        stat(
          'Memory',
          'Memory in use, of all selected servers.',
          { memory: `sum(redis_memory_used_bytes${rd})` },
          { unit: 'bytes', quiet: true, links: [{ panel: 'Memory' }] },
        ),
        stat(
          'Last save',
          'Whether the last save to disk succeeded, on all selected servers.',
          { save: `min(redis_rdb_last_bgsave_status${rd})` },
          { ...zeroOrOne('Failed', 'OK'), links: [{ alert: 'RedisSaveFailed' }] },
        ),
      ],
    },
    {
      heading: 'Load',
      height: 9,
      panels: [
        rates('Commands', 'Commands per second, by kind.', {
          '{{cmd}}': `redis_commands_total${rd}`,
        }),
        graph('Clients', 'Connected clients, and those that wait for a blocking command.', {
          connected: `sum(redis_connected_clients${rd})`,
          blocked: `sum(redis_blocked_clients${rd})`,
        }),
        graph(
          'Cache hits',
          'Share of the keys asked for that existed. What is normal depends on the application.',
          {
            '{{instance}}': `rate(redis_keyspace_hits_total${rd}[$__rate_interval]) / (rate(redis_keyspace_hits_total[$__rate_interval]) + rate(redis_keyspace_misses_total[$__rate_interval]) > 0)`,
          },
          { unit: 'percentunit', softMax: 1, noValue: 'No keys asked for' },
        ),
      ],
    },
    {
      heading: 'Data',
      height: 9,
      panels: [
        graph(
          'Memory',
          'Memory of the data and of the process. A process that has much more: the memory is fragmented.',
          {
            'data {{instance}}': `redis_memory_used_bytes${rd}`,
            'process {{instance}}': `redis_memory_used_rss_bytes${rd}`,
          },
          { unit: 'bytes' },
        ),
        graph(
          'Keys by database',
          'Keys of each database that has some.',
          { '{{db}}': `sum by (db) (redis_db_keys${rd}) > 0` },
          { noValue: 'No keys' },
        ),
        rates('Keys that go', 'Keys per second that expired, and that were evicted because the server was full.', {
          expired: `redis_expired_keys_total${rd}`,
          evicted: `redis_evicted_keys_total${rd}`,
        }),
      ],
    },
  ],
};

const my = of('mysqld');

/** Connections, queries and InnoDB of MySQL and MariaDB servers. */
export const mysqld: DashboardPlan = {
  uid: 'promstack-mysqld',
  title: 'MySQL',
  description: 'Connections, queries and InnoDB of MySQL and MariaDB servers.',
  variables: [instances('mysql_up')],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        reachable(`mysql_up${my}`, 'MysqlDown'),
        connections(
          `max(mysql_global_status_threads_connected${my} / mysql_global_variables_max_connections)`,
          'MysqlConnectionsHigh',
        ),
        stat(
          'Slow',
          'Queries of the last hour that took longer than long_query_time.',
          { slow: `sum(increase(mysql_global_status_slow_queries${my}[1h]))` },
          { decimals: 0, thresholds: orangeFrom(0.5), links: [{ panel: 'Slow queries' }] },
        ),
        stat(
          'Refused',
          'Connections of the last hour that were refused because there were too many.',
          {
            refused: `sum(increase(mysql_global_status_connection_errors_total${of('mysqld', ', error="max_connections"')}[1h]))`,
          },
          { decimals: 0, thresholds: redFrom(0.5), links: [{ alert: 'MysqlConnectionsRefused' }] },
        ),
      ],
    },
    {
      heading: 'Load',
      height: 9,
      panels: [
        rates('Queries', 'Statements per second.', { '{{instance}}': `mysql_global_status_queries${my}` }),
        rates('Statements by kind', 'Statements per second, of the kinds that read and change rows.', {
          '{{command}}': `mysql_global_status_commands_total${of('mysqld', ', command=~"select|insert|update|delete"')}`,
        }),
        rates('Slow queries', 'Queries per second that took longer than long_query_time.', {
          '{{instance}}': `mysql_global_status_slow_queries${my}`,
        }),
      ],
    },
    {
      heading: 'Connections and InnoDB',
      height: 9,
      panels: [
        graph('Threads', 'Connected clients, and those that run a query.', {
          connected: `sum(mysql_global_status_threads_connected${my})`,
          running: `sum(mysql_global_status_threads_running${my})`,
        }),
        graph(
          'Reads from disk',
          'Share of the reads of InnoDB that its buffer pool could not answer. High: innodb_buffer_pool_size may be too small.',
          {
            '{{instance}}': `rate(mysql_global_status_innodb_buffer_pool_reads${my}[$__rate_interval]) / (rate(mysql_global_status_innodb_buffer_pool_read_requests[$__rate_interval]) > 0)`,
          },
          { unit: 'percentunit', softMax: 0.1, noValue: 'No reads' },
        ),
        rates('Row lock waits', 'Times per second that a transaction waited for a row that another one had locked.', {
          '{{instance}}': `mysql_global_status_innodb_row_lock_waits${my}`,
        }),
      ],
    },
  ],
};
