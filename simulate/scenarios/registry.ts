/** All scenarios. A new family is one file and one line here. */
import { ENVIRONMENTS } from '#simulate/scenarios/environments.ts'
import { HABITS } from '#simulate/scenarios/habits.ts'
import { HELD_OUT } from '#simulate/scenarios/held-out.ts'
import { PLACES } from '#simulate/scenarios/places.ts'
import { PRODUCTS } from '#simulate/scenarios/products.ts'
import { ROTATION } from '#simulate/scenarios/rotation.ts'
import type { Scenario } from '#simulate/scenarios/scenario.ts'
import { SHARDING } from '#simulate/scenarios/sharding.ts'
import { SUPPLIED_KEYS } from '#simulate/scenarios/supplied-keys.ts'

export const SCENARIOS: readonly Scenario[] = [
  ...ROTATION,
  ...SHARDING,
  ...SUPPLIED_KEYS,
  ...ENVIRONMENTS,
  ...PLACES,
  ...PRODUCTS,
  ...HABITS,
  ...HELD_OUT,
]
