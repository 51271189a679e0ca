/** A binary heap of actors by the time they wake; ties in the order of the heap, which is the same for the same pushes. */
export class EventQueue<T> {
  private readonly times: number[] = []
  private readonly items: T[] = []

  get size(): number {
    return this.times.length
  }

  /** Time of the earliest item; Infinity when empty. */
  get nextTime(): number {
    return this.times[0] ?? Number.POSITIVE_INFINITY
  }

  get next(): T | undefined {
    return this.items[0]
  }

  push(time: number, item: T): void {
    this.times.push(time)
    this.items.push(item)
    this.rise(this.times.length - 1, time, item)
  }

  /** Gives the earliest item a new time: one pass instead of a removal and an insertion. */
  reschedule(time: number): void {
    const item = this.items[0]
    if (item !== undefined) this.sink(time, item)
  }

  removeNext(): void {
    const time = this.times.pop()
    const item = this.items.pop()
    if (time !== undefined && item !== undefined && this.times.length > 0) this.sink(time, item)
  }

  private rise(from: number, time: number, item: T): void {
    const { times, items } = this
    let index = from
    while (index > 0) {
      const parent = (index - 1) >> 1
      const above = times[parent]
      const aboveItem = items[parent]
      if (above === undefined || aboveItem === undefined || above <= time) break
      times[index] = above
      items[index] = aboveItem
      index = parent
    }
    times[index] = time
    items[index] = item
  }

  private sink(time: number, item: T): void {
    const { times, items } = this
    const size = times.length
    let index = 0
    for (;;) {
      let child = 2 * index + 1
      if (child >= size) break
      if (child + 1 < size && (times[child + 1] ?? 0) < (times[child] ?? 0)) child += 1
      const below = times[child]
      const belowItem = items[child]
      if (below === undefined || belowItem === undefined || below >= time) break
      times[index] = below
      items[index] = belowItem
      index = child
    }
    times[index] = time
    items[index] = item
  }
}
