/** Preloaded into a measured process (`node --import`): at its end, writes what it used to the file that BENCH_USAGE names. */
import { writeFileSync } from 'node:fs'

const file = process.env['BENCH_USAGE']
if (file !== undefined) {
  process.on('exit', () => {
    const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage()
    const usage = {
      seconds: process.uptime(),
      cpuSeconds: (userCPUTime + systemCPUTime) / 1e6,
      residentMegabytes: maxRSS / 1024,
    }
    writeFileSync(file, JSON.stringify(usage))
  })
}
