import type { Scenario } from '../sim/scenario.ts'
import crashRestart from './crash-restart.ts'
import dumbbell from './dumbbell.ts'
import fileTransfer from './file-transfer.ts'
import partitionHeal from './partition-heal.ts'
import ping from './ping.ts'
import routerChain from './router-chain.ts'
import switchedLan from './switched-lan.ts'
import udpEcho from './udp-echo.ts'

/** The scenarios that come with the package, in the order in which they are listed. */
export const scenarios: readonly Scenario[] = [
  fileTransfer,
  ping,
  udpEcho,
  dumbbell,
  partitionHeal,
  crashRestart,
  switchedLan,
  routerChain,
]
