-- SPDX-License-Identifier: Apache-2.0
-- Takes one from a limit; false when the limit is reached.  Its own transaction
-- in the caller, so that a refused attempt counts.
create or replace function ve.rate_take(p_kind text, p_key text) returns boolean
  language sql
  set search_path = ve, pg_temp
as $$
  with rule as (select * from rate_rule where kind = p_kind)
  insert into rate as r (kind, key, since, taken)
    select kind, p_key, now(), 1 from rule
  on conflict on constraint rate_pkey do update set
    taken = case when r.since + (select per from rule) <= now() then 1 else r.taken + 1 end,
    since = case when r.since + (select per from rule) <= now() then now() else r.since end
  returning taken <= (select most from rule)
$$;
