import { type DashboardPlan, labelVariable } from './dashboard.ts';
import { of } from './instances.ts';
import { graph, stat } from './panels.ts';
import { orangeFrom, redBelow } from './thresholds.ts';

const devices = of('snmp');

/** Devices that speak SNMP; traffic is that of the module if_mib. */
export const snmp: DashboardPlan = {
  uid: 'promstack-snmp',
  title: 'SNMP devices',
  description: 'Devices that speak SNMP, and the interfaces that the module if_mib reads.',
  variables: [
    labelVariable({
      name: 'instance',
      label: 'Device',
      description: 'Devices to show',
      metric: 'snmp_scrape_duration_seconds',
      from: 'instance',
    }),
  ],
  rows: [
    {
      heading: 'Overview',
      height: 4,
      panels: [
        stat(
          'Up',
          'Share of all devices that answer. Red below 100%.',
          { up: 'avg(up{job="snmp"})' },
          { unit: 'percentunit', decimals: 0, thresholds: redBelow(1), links: [{ alert: 'SnmpDeviceDown' }] },
        ),
        stat(
          'Slowest',
          'Duration of the slowest scrape. Orange from 8 seconds.',
          { slowest: `max(snmp_scrape_duration_seconds${devices})` },
          { unit: 's', thresholds: orangeFrom(8), links: [{ alert: 'SnmpSlow' }] },
        ),
        stat(
          'Links down',
          'Interfaces that are enabled and have no link.',
          {
            down: `count(ifOperStatus${devices} == 2 and on (job, instance, ifIndex) ifAdminStatus == 1) or 0 * count(ifOperStatus${devices})`,
          },
          {
            decimals: 0,
            thresholds: orangeFrom(1),
            noValue: 'No interfaces',
            links: [{ alert: 'SnmpInterfaceDown' }],
          },
        ),
        stat(
          'Traffic',
          'Bits per second that the selected devices received.',
          { traffic: `sum(rate(ifHCInOctets${devices}[$__rate_interval])) * 8` },
          { unit: 'bps', quiet: true, noValue: 'No interfaces', links: [{ panel: 'Received' }] },
        ),
      ],
    },
    {
      heading: 'Interfaces',
      height: 9,
      panels: [
        graph(
          'Received',
          'Bits per second that each interface received.',
          { '{{instance}} {{ifIndex}}': `rate(ifHCInOctets${devices}[$__rate_interval]) * 8` },
          { unit: 'bps', softMax: 1, noValue: 'No interfaces' },
        ),
        graph(
          'Sent',
          'Bits per second that each interface sent.',
          { '{{instance}} {{ifIndex}}': `rate(ifHCOutOctets${devices}[$__rate_interval]) * 8` },
          { unit: 'bps', softMax: 1, noValue: 'No interfaces' },
        ),
        graph(
          'Errors',
          'Frames per second that were received or sent with an error, by interface that has some.',
          {
            '{{instance}} {{ifIndex}}': `rate(ifInErrors${devices}[$__rate_interval]) + rate(ifOutErrors${devices}[$__rate_interval]) > 0`,
          },
          { unit: 'suffix:/s', softMax: 1, isBad: true, noValue: 'No errors' },
        ),
      ],
    },
    {
      heading: 'Scrapes',
      height: 9,
      panels: [
        graph(
          'Duration',
          'How long reading each device took.',
          { '{{instance}} {{module}}': `snmp_scrape_duration_seconds${devices}` },
          { unit: 's' },
        ),
        graph('Values', 'Values that each device returned.', {
          '{{instance}} {{module}}': `snmp_scrape_pdus_returned${devices}`,
        }),
        graph('Repeated requests', 'Packets of each scrape that had to be sent again.', {
          '{{instance}} {{module}}': `snmp_scrape_packets_retried${devices}`,
        }),
      ],
    },
  ],
};
