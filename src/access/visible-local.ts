/**
 * `decideRow` as a predicate on the caller's own rows of the local database, where the facts of the records batch are known:
 * a page that `visibleLocal` filled with rows the policy refuses is asked for again with it. Else what is withheld would
 * show in where pages end.
 */
import type { SqlValue } from '../store/ports.ts'
import type { Provider } from './caller.ts'
import { firstPublished } from './first-published.ts'
import { openDomains, openSubjects, rankOf, type Situation } from './policy.ts'
import { rank, visibleLocal } from './visible.ts'

/** Predicate on a row `d` of `document`. */
export const permittedLocal = (d: string): string => `(${visibleLocal(d)}
  and ${d}.domain in (select value from json_each(:open_domains))
  and ${rank(d)} <= :own_rank
  and (${d}.source_record = '' or exists (
    select 1 from json_each(:open_subjects) as u
    where exists (select 1 from json_each(u.value, '$.sourceRecords') as s where s.value = ${d}.source_record)
      and not exists (
        select 1 from json_each(u.value, '$.rules') as k
        where case k.value ->> 'kind'
          when 'refusal-total' then 1
          when 'refusal-before' then ${d}.domain <> 'identity'
            and iif(${d}.date_lo = '', ${firstPublished(d)}, ${d}.date_lo) < k.value ->> 'before'
          else case k.value ->> 'whatKind'
            when 'any' then 1
            when 'domain' then k.value ->> 'what' = ${d}.domain
            when 'type' then k.value ->> 'what' = ${d}.type
            else k.value ->> 'what' = ${d}.type || '/' || ${d}.id end end))))`

/** Values of its named arguments beside those of `visibleLocal`. */
export const permittedLocalArgs = (
  caller: Provider,
  situation: Pick<Situation, 'subjects' | 'settings'>,
): Readonly<Record<string, SqlValue>> => ({
  open_domains: JSON.stringify([...caller.domains, ...openDomains]),
  own_rank: rankOf(caller.clearance.own),
  open_subjects: JSON.stringify(openSubjects(caller, situation)),
})
