-- SPDX-License-Identifier: Apache-2.0
-- Compares the data base's clock with CLOCK_BOOTTIME of the machine that asks.  When
-- it has gone forward by itself for more than five seconds, the terms that ran before
-- are not over for their nodes: they are made as long as if they were renewed now,
-- so that nobody else is lent them.  So are those that ran when a machine was last
-- heard, when one asks that never did.
create or replace function ve.clock_check(p_boot text, p_ms bigint) returns void
  language plpgsql
  set search_path = ve, ext, pg_temp
as $$
declare
  began timestamptz := now() - p_ms * interval '1 millisecond';
  since timestamptz;
  step interval;
begin
  if p_boot is null then
    return;
  end if;
  select began - c.base into step from clock c where c.boot = p_boot for update;
  if not found then
    select max(c.at) into since from clock c;
  elsif step > interval '5 seconds' then
    since := now() - step;
    raise warning 'the clock of the data base has gone forward by %: blocks that are lent are kept for two more minutes', step;
  end if;
  update block b set term = tstzrange(lower(term), now() + interval '120 seconds')
    where upper(term) > since and upper(term) < now() + interval '120 seconds'
      and not exists (select from block o where o.id <> b.id and o.range && b.range and upper(o.term) > greatest(now(), lower(b.term)));
  insert into clock (boot, base, at) values (p_boot, began, now())
    on conflict on constraint clock_pkey do update set base = excluded.base, at = excluded.at;
  delete from clock where boot <> p_boot and at < now() - interval '30 days';
end
$$;
