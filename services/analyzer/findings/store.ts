/** Reads and writes findings: the latest revision of each, and the revisions that an analysis adds. What they are is decided in lifecycle.ts. */
import { z } from 'zod'
import { tabSeparatedRow } from '#lib/tab-separated.ts'
import type { ClickHouse } from '#lib/clickhouse.ts'
import { Finding } from '#schemas/finding.ts'
import type { Revision, StoredFinding } from './lifecycle.ts'
import { dateTimeParam } from '../run/window.ts'

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

/**
 * Stores revisions. Storing the same revision again replaces it by itself. The findings come last: a revision that readers see has its members and
 * its evidence, and what broke off before it is stored again by the next analysis.
 */
export async function storeRevisions(
  clickhouse: ClickHouse,
  revisions: readonly Revision[],
  token: string,
): Promise<void> {
  await insert(clickhouse, 'finding_apps', APP_COLUMNS, revisions.flatMap(appRows), token)
  await insert(clickhouse, 'finding_evidence', EVIDENCE_COLUMNS, revisions.flatMap(evidenceRows), token)
  await insert(clickhouse, 'findings', FINDING_COLUMNS, revisions.map(findingRow), token)
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

/** Members only: who was framed is in the event, and in no list of the accused. */
const accused = ({ resources }: Finding['data']): Finding['data']['resources'] =>
  resources.filter((app) => app.data.role !== 'victim')

function findingRow({ finding, digest, status }: Revision): Row {
  const { data } = finding
  const apps = accused(data)
  return [
    data.finding_info.uid,
    data.unmapped.revision,
    status,
    data.finding_info.types,
    apps.map((app) => app.uid).toSorted(),
    [...new Set(apps.map((app) => app.owner.uid).filter((owner) => owner !== ''))].toSorted(),
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

function appRows({ finding: { data } }: Revision): Row[] {
  return accused(data).map((app) => [
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

function evidenceRows({ finding: { data } }: Revision): Row[] {
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
