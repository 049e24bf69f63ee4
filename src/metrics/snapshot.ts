import { AggregatorRegistry, Registry, type MetricObjectWithValues, type MetricValue } from 'prom-client'

/** What one registry holds at one moment; it travels between processes as JSON. */
export type Snapshot = MetricObjectWithValues<MetricValue<string>>[]

/** The text format of Prometheus (https://prometheus.io/docs/instrumenting/exposition_formats/). */
export const METRICS_CONTENT_TYPE = Registry.PROMETHEUS_CONTENT_TYPE

export function takeSnapshot(registry: Registry): Promise<Snapshot> {
  return registry.getMetricsAsJSON()
}

/** What stays true of a process that is gone, or does not answer: what it has counted. */
export function withoutGauges(snapshot: Snapshot): Snapshot {
  // prom-client answers the type's name; its declarations say a number.
  return snapshot.filter(({ type }) => String(type) !== 'gauge')
}

/** Adds snapshots up, each metric as its `aggregator` says. */
export function addUp(snapshots: readonly Snapshot[]): Promise<Snapshot> {
  return takeSnapshot(aggregated(snapshots))
}

/** The sum of snapshots as Prometheus reads it. */
export function render(snapshots: readonly Snapshot[]): Promise<string> {
  return aggregated(snapshots).metrics()
}

function aggregated(snapshots: readonly Snapshot[]): Registry {
  return AggregatorRegistry.aggregate([...snapshots])
}
