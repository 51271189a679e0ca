/**
 * Keeps findings over runs. A finding keeps its uid while its cluster lives (best Jaccard similarity of members with an earlier
 * one, at least a half); it gets a new revision only when something changed; one that is no longer found is closed.
 */
import { z } from 'zod'
import { tabSeparatedRow } from '#lib/tab-separated.ts'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { Finding } from '#schemas/finding.ts'
import { newFindingUid, type Identity } from './event.ts'
import { dateTimeParam } from '../run/window.ts'

export interface StoredFinding {
  readonly uid: string
  readonly revision: number
  readonly status: string
  readonly digest: string
  readonly app_ids: readonly string[]
  readonly event: Finding
}

const StoredRow = z.object({
  uid: z.string(),
  revision: z.number(),
  status: z.string(),
  digest: z.string(),
  app_ids: z.array(z.string()),
  event: z.string(),
})

export const latestFindingsQuery = { name: 'findings/latest-findings', params: z.object({}), row: StoredRow } as const

/** The latest revision of every finding, closed ones included, strongest first. */
export async function readFindings(clickhouse: ClickHouse): Promise<StoredFinding[]> {
  const rows = await clickhouse.query(latestFindingsQuery, {})
  return rows.map(({ uid, revision, status, digest, app_ids, event }) => ({
    uid,
    revision,
    status,
    digest,
    app_ids,
    event: Finding.parse(JSON.parse(event)),
  }))
}

export const jaccard = (a: readonly string[], b: readonly string[]): number => {
  const one = new Set(a)
  const common = b.filter((item) => one.has(item)).length
  return common / (one.size + b.length - common)
}

const SAME_CLUSTER_JACCARD = 0.5

/** Which earlier finding each cluster continues: best similarity first, each earlier finding at most once. */
export function matchFindings(
  clusters: readonly { readonly apps: readonly string[]; readonly digest: string }[],
  stored: readonly StoredFinding[],
): Identity[] {
  const proposals = clusters
    .flatMap((cluster, index) =>
      stored.map((finding) => ({ index, finding, similarity: jaccard(cluster.apps, finding.app_ids) })),
    )
    .filter(({ similarity }) => similarity >= SAME_CLUSTER_JACCARD)
    .toSorted((x, y) => y.similarity - x.similarity || (x.finding.uid < y.finding.uid ? -1 : 1))
  const taken = new Set<string>()
  const chosen = new Map<number, StoredFinding>()
  for (const { index, finding } of proposals) {
    if (chosen.has(index) || taken.has(finding.uid)) continue
    chosen.set(index, finding)
    taken.add(finding.uid)
  }
  return clusters.map((cluster, index) => {
    const earlier = chosen.get(index)
    if (earlier === undefined) return { uid: freshUid(cluster.apps, stored), revision: 1 }
    const unchanged = earlier.digest === cluster.digest && earlier.status !== 'closed'
    return { uid: earlier.uid, revision: unchanged ? earlier.revision : earlier.revision + 1 }
  })
}

/** An id from the members, salted while an earlier finding of other members holds it. */
function freshUid(apps: readonly string[], stored: readonly StoredFinding[]): string {
  const taken = new Set(stored.map((finding) => finding.uid))
  let salt = 0
  let uid = newFindingUid(apps)
  while (taken.has(uid)) uid = newFindingUid([...apps, String(++salt)])
  return uid
}

export interface FindingRow {
  readonly finding: Finding
  readonly digest: string
  readonly status: 'opened' | 'updated' | 'closed'
}

/** Stores revisions. Storing the same revision again replaces it by itself. */
export async function storeFindings(clickhouse: ClickHouse, rows: readonly FindingRow[], token: string): Promise<void> {
  if (rows.length === 0) return
  await insert(clickhouse, 'findings', FINDING_COLUMNS, rows.map(findingRow), token)
  await insert(clickhouse, 'finding_apps', APP_COLUMNS, rows.flatMap(appRows), token)
  await insert(clickhouse, 'finding_evidence', EVIDENCE_COLUMNS, rows.flatMap(evidenceRows), token)
}

type Row = readonly (string | number | null | readonly string[])[]

async function insert(
  clickhouse: ClickHouse,
  table: string,
  columns: readonly string[],
  rows: readonly Row[],
  token: string,
): Promise<void> {
  if (rows.length === 0) return
  await clickhouse.insertBlock({
    table,
    columns,
    body: Buffer.from(rows.map(tabSeparatedRow).join('')),
    token: `${token}/${table}`,
  })
}

const FINDING_COLUMNS = [
  'uid', 'revision', 'status', 'policies', 'app_ids', 'owner_ids', 'probability', 'gain', 'window_from', 'window_to', 'digest',
  'event', 'created_at',
] as const // prettier-ignore

function findingRow({ finding, digest, status }: FindingRow): Row {
  const { data } = finding
  return [
    data.finding_info.uid,
    data.unmapped.revision,
    status,
    data.finding_info.types,
    data.resources.map((app) => app.uid),
    [...new Set(data.resources.map((app) => app.owner.uid))].toSorted(),
    data.confidence_score / 100,
    data.unmapped.gain,
    dateTimeParam(Date.parse(data.unmapped.window.from)),
    dateTimeParam(Date.parse(data.unmapped.window.to)),
    digest,
    JSON.stringify(finding),
    (data.time / 1000).toFixed(3),
  ]
}

const APP_COLUMNS = ['uid', 'revision', 'app_id', 'owner_id', 'probability', 'requests', 'throttled'] as const

function appRows({ finding: { data } }: FindingRow): Row[] {
  return data.resources.map((app) => [
    data.finding_info.uid,
    data.unmapped.revision,
    app.uid,
    app.owner.uid,
    app.data.probability,
    app.data.requests,
    app.data.throttled,
  ])
}

const EVIDENCE_COLUMNS = [
  'uid',
  'revision',
  'family',
  'signal',
  'observed',
  'expected',
  'unit',
  'p',
  'bits',
  'statement',
] as const

function evidenceRows({ finding: { data } }: FindingRow): Row[] {
  return data.evidences.map(({ data: item }) => [
    data.finding_info.uid,
    data.unmapped.revision,
    item.family,
    item.signal,
    item.observed,
    item.expected,
    item.unit,
    item.p,
    item.bits,
    item.statement,
  ])
}
