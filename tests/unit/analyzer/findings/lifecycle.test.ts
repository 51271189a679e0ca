import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  jaccard,
  lifecycle,
  matchFindings,
  type Life,
  type StoredFinding,
} from '../../../../services/analyzer/findings/lifecycle.ts'
import { TUNING } from '../../../../services/analyzer/tuning.ts'
import { NOW_MS, stored, violation, WINDOW } from '../../../support/analyzer-cases.ts'

const cluster = (apps: string, digest = 'new'): { apps: string[]; digest: string } => ({
  apps: Array.from(apps),
  digest,
})
const earlier = (uid: string, apps: string, more: Partial<StoredFinding> = {}): StoredFinding =>
  stored(Array.from(apps), { uid, digest: 'old', ...more })

describe('jaccard', () => {
  it('is common over all, symmetric, 1 for equal sets', () => {
    const sets = fc.uniqueArray(fc.constantFrom(...Array.from('abcdefgh')), { minLength: 1 })
    fc.assert(
      fc.property(sets, sets, (a, b) => {
        const union = new Set([...a, ...b]).size
        const common = a.filter((item) => b.includes(item)).length
        expect(jaccard(a, b)).toBeCloseTo(common / union, 12)
        expect(jaccard(b, a)).toBe(jaccard(a, b))
        expect(jaccard(a, a)).toBe(1)
      }),
      { seed: 1 },
    )
  })
})

describe('the identity of a finding', () => {
  it('of a cluster never seen comes from its members', () => {
    const [first] = matchFindings([cluster('abc')], [])
    const [again] = matchFindings([cluster('abc')], [])
    const [other] = matchFindings([cluster('abd')], [])
    expect(first).toEqual(again)
    expect(first?.revision).toBe(1)
    expect(first?.uid).toMatch(/^sf-[0-9a-f]{12}$/)
    expect(other?.uid).not.toBe(first?.uid)
  })

  it('stays while fewer than half of the members change', () => {
    expect(matchFindings([cluster('abcdx')], [earlier('one', 'abcd')])).toEqual([{ uid: 'one', revision: 2 }])
    expect(matchFindings([cluster('abcxy')], [earlier('one', 'abcd')])).toEqual([{ uid: 'one', revision: 2 }])
    expect(matchFindings([cluster('ab')], [earlier('one', 'abcd')])).toEqual([{ uid: 'one', revision: 2 }])
  })

  it('ends when most members change', () => {
    expect(matchFindings([cluster('axyz')], [earlier('one', 'abcd')])[0]).toMatchObject({ revision: 1 })
  })

  it('gets no new revision when nothing that counts changed', () => {
    const before = earlier('one', 'abcd', { revision: 4 })
    expect(matchFindings([cluster('abcd', 'old')], [before])).toEqual([{ uid: 'one', revision: 4 }])
    expect(matchFindings([cluster('abcd', 'new')], [before])).toEqual([{ uid: 'one', revision: 5 }])
  })

  it('comes back with a new revision after it was closed, even when nothing else changed', () => {
    const closed = earlier('one', 'abcd', { revision: 2, status: 'closed' })
    expect(matchFindings([cluster('abcd', 'old')], [closed])).toEqual([{ uid: 'one', revision: 3 }])
  })

  it('goes to the more similar half when a cluster splits', () => {
    const [large, small] = matchFindings([cluster('abc'), cluster('de')], [earlier('one', 'abcde')])
    expect(large).toEqual({ uid: 'one', revision: 2 })
    expect(small).toMatchObject({ revision: 1 })
    expect(small?.uid).not.toBe('one')
  })

  it('is that of the larger part when two clusters merge', () => {
    expect(matchFindings([cluster('abcde')], [earlier('one', 'ab'), earlier('two', 'cde')])).toEqual([
      { uid: 'two', revision: 2 },
    ])
  })

  it('is never given twice when two clusters are equally near', () => {
    const identities = matchFindings([cluster('ab'), cluster('cd')], [earlier('one', 'abcd')])
    expect(new Set(identities.map(({ uid }) => uid)).size).toBe(2)
    expect(identities[0]).toEqual({ uid: 'one', revision: 2 })
  })

  it('is a fresh one when another finding holds the id that the members would give', () => {
    const [fresh] = matchFindings([cluster('abc')], [])
    const taken = earlier(fresh?.uid ?? '', 'vwxyz')
    const [identity] = matchFindings([cluster('abc')], [taken])
    expect(identity?.uid).not.toBe(taken.uid)
    expect(identity?.revision).toBe(1)
  })
})

describe('over any history', () => {
  /** Disjoint groups of 2 and more apps, as clustering makes them. */
  const partition = fc.array(fc.nat(5), { minLength: 14, maxLength: 14 }).map((labels) =>
    [
      ...Map.groupBy(
        labels.map((label, i) => ({ label, id: 'abcdefghijklmn'.charAt(i) })),
        ({ label }) => label,
      ).values(),
    ]
      .map((group) => group.map(({ id }) => id))
      .filter((group) => group.length >= 2),
  )
  const history = fc.array(partition, { minLength: 1, maxLength: 5 })

  it('each earlier finding is continued at most once, ids are unique, revisions only grow with the digest', () => {
    fc.assert(
      fc.property(history, (runs) => {
        let known: StoredFinding[] = []
        for (const groups of runs) {
          const clusters = groups.map((apps) => ({ apps, digest: apps.join('') }))
          const identities = matchFindings(clusters, known)
          expect(identities).toHaveLength(clusters.length)
          expect(new Set(identities.map(({ uid }) => uid)).size).toBe(identities.length)
          const byUid = new Map(known.map((finding) => [finding.uid, finding]))
          for (const [i, { uid, revision }] of identities.entries()) {
            const before = byUid.get(uid)
            const { apps, digest } = clusters[i] ?? cluster('')
            const changed = before === undefined || before.digest !== digest ? 1 : 0
            expect(revision).toBe((before?.revision ?? 0) + changed)
            expect(jaccard(before?.app_ids ?? apps, apps)).toBeGreaterThanOrEqual(0.5)
          }
          const found = new Set(identities.map(({ uid }) => uid))
          known = [
            ...known.filter(({ uid }) => !found.has(uid)),
            ...identities.map(({ uid, revision }, i) =>
              stored(clusters[i]?.apps ?? [], { uid, revision, digest: clusters[i]?.digest ?? '' }),
            ),
          ]
        }
      }),
      { seed: 2, numRuns: 60 },
    )
  })

  it('does not depend on the order of the clusters', () => {
    fc.assert(
      fc.property(partition, partition, (before, after) => {
        const known = before.map((apps) => stored(apps))
        const clusters = after.map((apps) => ({ apps, digest: 'new' }))
        const uids = (list: typeof clusters): string[] => {
          const identities = matchFindings(list, known)
          return list.map(({ apps }, i) => `${apps.join('')} ${identities[i]?.uid ?? ''}`).toSorted()
        }
        const similarities = clusters.flatMap(({ apps }) => known.map((finding) => jaccard(apps, finding.app_ids)))
        // Two equally near clusters are told apart by their order, which clustering fixes.
        fc.pre(similarities.filter((value) => value === 0.5).length < 2)
        expect(uids(clusters.toReversed())).toEqual(uids(clusters))
      }),
      { seed: 3, numRuns: 60 },
    )
  })
})

/** Invariant 15. */
describe('an analysis, given what was stored, adds', () => {
  const LATER_MS = NOW_MS + 60_000
  const after = (known: readonly StoredFinding[], ...found: readonly (readonly string[])[]): Life =>
    lifecycle(
      known,
      found.map((apps) => violation(apps)),
      { window: WINDOW, tuning: TUNING, nowMs: LATER_MS },
    )
  const changes = ({ revisions }: Life): string[] =>
    revisions.map(({ finding, status }) => `${finding.id} ${status} ${finding.type.split('.').at(-2)}`)
  const AB = ['a', 'b']
  const known = stored(AB, { uid: 'one' })

  it('an opened finding for a cluster never seen', () => {
    const life = after([], AB)
    expect(changes(life)).toEqual([`${stored(AB).uid}:1 opened opened`])
    expect(life.open).toEqual(life.revisions.map(({ finding }) => finding))
  })

  it('nothing where nothing changed: what is open is what was stored, its time included', () => {
    expect(after([known], AB)).toEqual({ open: [known.event], revisions: [] })
  })

  it('an update when a member joins', () => {
    expect(changes(after([known], [...AB, 'c']))).toEqual(['one:2 updated updated'])
  })

  it('a closed one, once, for what is no longer found, and an update when it is back', () => {
    const life = after([known])
    expect(life.open).toEqual([])
    expect(changes(life)).toEqual(['one:2 closed closed'])
    const [revision] = life.revisions
    if (revision === undefined) throw new Error('nothing was closed')
    expect(revision.finding.data).toMatchObject({ activity_id: 3, time: LATER_MS, unmapped: { revision: 2 } })
    const closed = { ...known, revision: 2, status: 'closed', event: revision.finding }
    expect(after([closed])).toEqual({ open: [], revisions: [] })
    expect(changes(after([closed], AB))).toEqual(['one:3 updated updated'])
  })

  it('the same revisions, whichever process asks: uid from members, revision from what was stored', () => {
    expect(after([known], [...AB, 'c'], ['x', 'y'])).toEqual(after([known], [...AB, 'c'], ['x', 'y']))
  })
})
