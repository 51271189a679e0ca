/** All scenarios. A new family is one file and one line here. */
import { CAMPAIGNS } from '#simulate/scenarios/campaigns.ts'
import { DEPLOYMENTS } from '#simulate/scenarios/deployments.ts'
import { ENVIRONMENTS } from '#simulate/scenarios/environments.ts'
import { FRAMING } from '#simulate/scenarios/framing.ts'
import { HABITS } from '#simulate/scenarios/habits.ts'
import { HELD_OUT } from '#simulate/scenarios/held-out.ts'
import { HOUSES } from '#simulate/scenarios/houses.ts'
import { MACHINE_ROOM } from '#simulate/scenarios/machine-room.ts'
import { PLACES } from '#simulate/scenarios/places.ts'
import { PRODUCTS } from '#simulate/scenarios/products.ts'
import { ROTATION } from '#simulate/scenarios/rotation.ts'
import type { Scenario } from '#simulate/scenarios/scenario.ts'
import { SHARDING } from '#simulate/scenarios/sharding.ts'
import { SLICING } from '#simulate/scenarios/slicing.ts'
import { SUPPLIED_KEYS } from '#simulate/scenarios/supplied-keys.ts'

export const SCENARIOS: readonly Scenario[] = [
  ...ROTATION,
  ...SLICING,
  ...SHARDING,
  ...SUPPLIED_KEYS,
  ...MACHINE_ROOM,
  ...CAMPAIGNS,
  ...ENVIRONMENTS,
  ...PLACES,
  ...PRODUCTS,
  ...HABITS,
  ...DEPLOYMENTS,
  ...HOUSES,
  ...FRAMING,
  ...HELD_OUT,
]
