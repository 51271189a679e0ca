/** Look-alikes by habit: the same clock, the same library, the same tutorial. Nobody here knows the others. */
import type { Actor } from '#simulate/actor.ts'
import { sdkAgent } from '#simulate/agents.ts'
import type { App } from '#simulate/apps.ts'
import { anyUseCase, type Cast, cronApp, personalApp, tinkering } from '#simulate/kinds.ts'
import { personalName, registration } from '#simulate/naming.ts'
import { FixedAddress } from '#simulate/networks.ts'
import type { Person, Site } from '#simulate/people.ts'
import { at, type Rng } from '#simulate/random.ts'
import { between, HOUR_MS, MINUTE_MS, shift, steady } from '#simulate/rhythm.ts'
import { single } from '#simulate/rings.ts'
import { RouteWalk, walkOf } from '#simulate/walks.ts'
import { strangers } from '#simulate/scenarios/deployments.ts'
import { lookalike, type Scenario, together } from '#simulate/scenarios/scenario.ts'
import { Worker } from '#simulate/worker.ts'
import type { World } from '#simulate/world.ts'

/** Cron jobs of strangers that all fire on the hour (or half past, every quarter, on the full minute): synchronous to the second. */
function hourlyCrons(world: World, rng: Rng): Cast {
  const everyMs = rng.pick([1, 5, 15, 30, 60, 60, 60]) * MINUTE_MS
  return together(
    Array.from({ length: rng.between(7, 18) }, (_, index) => {
      const own = rng.fork(`cron-${index}`)
      return cronApp(world, own, { perDay: own.lognormal(260, 0.7) * world.load, elastic: false, everyMs })
    }),
  )
}

/** Programs built from one library's example: its default agent, its example's routes, each at a place of its own. */
function commonSdk(world: World, rng: Rng): Cast {
  const useCase = anyUseCase(world, rng)
  const example = walkOf(rng, useCase, rng.between(2, 5))
  const agent = sdkAgent(rng)
  return together(
    Array.from({ length: rng.between(7, 18) }, (_, index) => {
      const own = rng.fork(`user-${index}`)
      const walk = own.chance(0.6) ? example : walkOf(own, useCase)
      return personalApp(world, own, {
        perDay: own.lognormal(220, 0.8) * world.load,
        elastic: false,
        useCase,
        walk,
        agent,
      })
    }),
  )
}

interface Lab {
  readonly script: RouteWalk
  readonly agent: string
  readonly fromMs: number
  readonly toMs: number
  readonly perHour: number
}

/** One student: a key of their own, the tutorial's script during the lab, a few tries at home in the evening. */
function student(world: World, rng: Rng, lab: Lab, person: Person): { app: App; actors: Actor[] } {
  const { startMs } = world.span
  const useCase = anyUseCase(world, rng)
  const name = rng.chance(0.5)
    ? { name: rng.pick(['tutorial', 'lab3', 'assignment', 'class project', `hw-${rng.below(9)}`]) }
    : { name: personalName(rng, useCase) }
  const signedUp = registration(rng, { owner: person, useCase, startMs, personal: true, ...name })
  const app = world.registry.register({ ...signedUp, createdAtMs: startMs - rng.below(9 * 24) * HOUR_MS - HOUR_MS })
  const curve = between(
    lab.fromMs + rng.exponential(6 * MINUTE_MS),
    lab.toMs - rng.exponential(10 * MINUTE_MS),
    () => 1,
  )
  const work = new Worker({
    rng: rng.fork('lab'),
    rhythm: steady(rng.fork('rhythm'), world.span, lab.perHour * rng.lognormal(1, 0.4), curve),
    walk: lab.script,
    credentials: [
      { app, network: person.work ?? person.home, agent: lab.agent, user: rng.chance(0.8) ? person : undefined },
    ],
    ring: single(),
    temper: rng.pick(['give_up', 'back_off', 'hammer']),
    elastic: false,
  })
  const evening = {
    app,
    person,
    network: person.home,
    perDay: rng.range(5, 60) * world.load,
    elastic: false,
    agent: lab.agent,
    walk: lab.script,
  }
  const homework = personalApp(world, rng.fork('home'), { ...evening, curve: shift(person.country.offsetHours, 18, 5) })
  return { app, actors: [work, ...homework.actors, tinkering(rng, app, person, lab.script, 3 * world.load, false)] }
}

/** A class that works through one tutorial: same script, same library, same two hours, same campus network. */
function campusTutorial(world: World, rng: Rng): Cast {
  return tutorialAt(world, rng, anyCampus(world, rng))
}

function anyCampus(world: World, rng: Rng): Site {
  const ranked = world.population.campuses.toSorted((left, right) => right.people.length - left.people.length)
  return at(ranked, rng.below(Math.min(3, ranked.length)))
}

/** The same class behind one busy address: the rest of the campus has programs of its own there, day and night. */
function busyCampus(world: World, rng: Rng): Cast {
  const campus = anyCampus(world, rng)
  const site = { ...campus, network: new FixedAddress(world.book.v4(campus.country.fixed)) }
  const residents = strangers(world, rng.fork('residents'), rng.between(12, 45), () => site.network)
  return together([tutorialAt(world, rng.fork('class'), site), residents])
}

function tutorialAt(world: World, rng: Rng, site: Site): Cast {
  const { span, population } = world
  const script = walkOf(rng, anyUseCase(world, rng), rng.between(2, 5)).mix.items
  const lengthMs = span.endMs - span.startMs
  const labMs = Math.min(lengthMs / 2, rng.range(1.2, 3) * HOUR_MS)
  const fromMs = span.startMs + rng.next() * (lengthMs - labMs)
  const walk = new RouteWalk(
    script,
    script.map(() => 1),
    0,
    Array.from({ length: rng.between(3, 7) }, () => rng.pick(script)),
  )
  const lab: Lab = {
    script: walk,
    agent: sdkAgent(rng),
    fromMs,
    toMs: fromMs + labMs,
    perHour: rng.range(30, 90) * world.load,
  }
  const students = rng.sample(site.people, rng.between(8, 22))
  const outsiders = Array.from({ length: Math.max(0, 5 - students.length) }, () => population.anyone.pick(rng))
  const seats = [...students, ...outsiders].map((person, index) =>
    student(world, rng.fork(`seat-${index}`), lab, { ...person, work: site.network }),
  )
  return { apps: seats.map(({ app }) => app), actors: seats.flatMap(({ actors }) => actors) }
}

export const HABITS: readonly Scenario[] = [
  lookalike('hourly_crons', 'unrelated cron jobs that fire on the hour', hourlyCrons),
  lookalike('common_sdk', "strangers who use one library's defaults and example", commonSdk),
  lookalike('campus_tutorial', 'students who run one tutorial on one campus', campusTutorial),
  lookalike('campus_tutorial_busy', 'the same behind one busy address', busyCampus),
]
