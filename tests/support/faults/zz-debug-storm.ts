import { Rng } from '#simulate/random.ts'
import * as faults from './faults.ts'
import { openFaultWorld } from './world.ts'
const t0=performance.now()
const say=(...a:unknown[])=>console.log(((performance.now()-t0)/1000).toFixed(1),...a)
const rng=new Rng('x')
const world=await openFaultWorld()
say('open')
try {
  const one=await world.stream({partitions:4,services:2,rng,poisonShare:.02})
  say('stream')
  one.production.start(600)
  const first=[...one.fleet.members()]
  try { await faults.membershipStorm(one, rng.fork('storm'), 6) } catch(e) { say(e); for (const m of [...first,...one.fleet.members()]) console.log(m.pid(), m.lines.slice(-25).map(l=>JSON.stringify(l)).join('\n')) }
  say('stormed')
  await one.production.stop(); say('stopped')
  say(await one.verdict(), one.fleet.unexpected)
} catch(e) { say('FAILED',e) } finally { await world.close() }
