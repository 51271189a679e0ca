import { Rng } from '#simulate/random.ts'
import * as faults from '/work/main/tests/support/faults/faults.ts'
import { openFaultWorld } from '/work/main/tests/support/faults/world.ts'
const t0=performance.now()
const say=(...a:unknown[])=>console.log(((performance.now()-t0)/1000).toFixed(1),...a)
const rng=new Rng('x')
const world=await openFaultWorld()
say('open')
try {
  const one=await world.stream({partitions:3,services:2,rng,poisonShare:.02})
  say('stream')
  one.production.start(600)
  const timer=setInterval(()=>{
    say('blocks',one.fleet.logged('ingest.stored').length,'produced',one.oracle.records(), 'unexpected',JSON.stringify(one.fleet.unexpected))
    for(const [i,m] of one.fleet.members().entries()) say(' ',i,JSON.stringify(m.lines.filter(l=>l.event!=='ingest.stored').slice(-4).map(l=>({...l,pid:undefined,hostname:undefined,level:undefined}))))
  },5000)
  await faults.progress(one,2)
  await faults.restartBroker(world,'stop'); say('restarted')
  await faults.progress(one,2); say('progress')
  await faults.restartBroker(world,'kill'); say('restarted')
  await faults.progress(one,2); say('progress')
  await one.production.stop(); say('stopped')
  say(await one.verdict())
  clearInterval(timer)
} catch(e) { say('FAILED',e) } finally { await world.close() }
