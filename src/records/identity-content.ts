/**
 * Source keys of resources known by their content only. The key is a digest of the content with its references resolved,
 * so the targets of its references come first. Where such resources refer to each other in a cycle there is no first;
 * the rule, which depends neither on the order of entries nor on their ids in the bundle:
 *
 * 1. A cycle is a strongly connected component of the references between them (a resource that refers to itself too).
 * 2. Each member's label is the digest of its content with references into the cycle left open.
 * 3. Labels are refined with those of the members they refer to, until that tells no more members apart.
 * 4. A member's key is the digest of its label and of all labels of the cycle, sorted.
 *
 * Members that still share a key say the same and refer to the same: they count as one resource.
 */
import { digest } from '../fhir/digest.ts'
import { limits } from '../limits.ts'

/**
 * Strongly connected components, each after all components it refers to (Tarjan 1972, with its own stack: a chain of
 * references may be as long as a bundle).
 */
export function componentsInOrder(
  nodes: readonly number[],
  targetsOf: (node: number) => readonly number[],
): readonly (readonly number[])[] {
  const components: number[][] = []
  const order = new Map<number, number>()
  const lowest = new Map<number, number>()
  const open = new Set<number>()
  const path: number[] = []
  const low = (node: number): number => lowest.get(node) ?? 0

  for (const root of nodes) {
    if (order.has(root)) continue
    const calls = [{ node: root, next: 0 }]
    for (let call = calls.at(-1); call; call = calls.at(-1)) {
      const { node } = call
      if (!order.has(node)) {
        order.set(node, order.size)
        lowest.set(node, order.size - 1)
        path.push(node)
        open.add(node)
      }
      const target = targetsOf(node)[call.next++]
      if (target !== undefined) {
        if (!order.has(target)) calls.push({ node: target, next: 0 })
        else if (open.has(target)) lowest.set(node, Math.min(low(node), order.get(target) ?? 0))
        continue
      }
      calls.pop()
      const caller = calls.at(-1)
      if (caller) lowest.set(caller.node, Math.min(low(caller.node), low(node)))
      if (low(node) === order.get(node)) {
        const members = path.splice(path.lastIndexOf(node))
        for (const member of members) open.delete(member)
        components.push(members)
      }
    }
  }
  return components
}

export interface CycleMember {
  /** Digest of the content with references into the cycle left open. */
  readonly label: string
  /** Members it refers to, by position, in the canonical order of the references. */
  readonly targets: readonly number[]
}

/** Source keys of the members of one cycle, in their order. */
export function cycleKeys(members: readonly CycleMember[]): readonly string[] {
  let labels = members.map(({ label }) => label)
  let distinct = new Set(labels).size
  for (let round = 0; round < limits.maxCycleRounds; round++) {
    const refined = members.map(({ targets }, i) =>
      digest([labels[i], ...targets.map((target) => labels[target])].join('|')),
    )
    const refinedDistinct = new Set(refined).size
    labels = refined
    if (refinedDistinct === distinct) break
    distinct = refinedDistinct
  }
  const cycle = digest([...labels].sort().join('|'))
  return labels.map((label) => contentKey(digest(`${label}|${cycle}`)))
}

/** Ids hold no `:`, identifier keys always a `|`, these a `:` and no `|`: keys of the three kinds never meet. */
export const contentKey = (contentDigest: string): string => `sha256:${contentDigest}`
