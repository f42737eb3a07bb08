-- SPDX-License-Identifier: Apache-2.0
-- A node's answer: its leases as they are.  A node says what it likes: none begins
-- before the block was lent or ends after now.  Its clock may be ahead of ours or
-- behind: a lease whose beginning that cuts follows the one before it.  Returns how
-- many rows are wrong and were not before: two VEs with one address, an address of
-- another block, a VE that is gone (the numbers below 1000 are the node's own).
-- Each is an alarm; sixteen at a time, so that a node which lies a lot does not hold the audit log.
create or replace function ve.block_report(p_block bigint, p_nonce text, p_leases jsonb,
  p_released jsonb) returns jsonb
  language plpgsql security definer
  set search_path = ve, ext, pg_temp
as $$
declare
  b block;
  r record;
  wrong jsonb[] := '{}';
  w jsonb;
  alarms integer := 0;
  fresh boolean;
  since timestamptz;
begin
  select * into b from block where id = p_block for update;
  for r in
    select (i ->> 'address')::inet as address, (i ->> 'veid')::integer as veid,
        (i ->> 'epoch')::bigint as epoch, (i ->> 'since')::timestamptz as since,
        (i ->> 'until')::timestamptz as until
      from jsonb_array_elements(p_released || p_leases) i
      order by (i ->> 'until') is null, (i ->> 'epoch')::bigint
  loop
    begin
      if not r.address <<= b.range then
        raise exclusion_violation;
      end if;
      since := least(greatest(r.since, lower(b.term)), now());
      if since <> r.since then
        select greatest(since, max(upper(l.during))) into since from lease l
          where l.block_id = b.id and l.address = r.address and l.epoch < r.epoch;
      end if;
      insert into lease (address, veid, node_id, block_id, epoch, during)
        values (r.address, r.veid, b.node_id, b.id, r.epoch, tstzrange(since, case when r.until is not null then
          greatest(least(r.until, now()), since + interval '1 microsecond') end))
        on conflict on constraint lease_epoch_key do update set during = excluded.during
          where upper_inf(lease.during)
        returning xmax = 0 into fresh;
      if fresh and r.veid >= 1000 and not exists (select from ve v where v.veid = r.veid
          and coalesce(v.deleted_at > since, true)) then
        wrong := wrong || jsonb_build_object('address', r.address, 'epoch', r.epoch, 'veid', r.veid, 'why', 'the VE is gone');
      end if;
    exception when exclusion_violation then
      wrong := wrong || jsonb_build_object('address', r.address, 'epoch', r.epoch, 'veid', r.veid);
    end;
  end loop;
  update lease l set during = tstzrange(lower(l.during), greatest(now(), lower(l.during) + interval '1 microsecond'))
    where l.block_id = b.id and upper_inf(l.during) and not exists (
      select from jsonb_array_elements(p_leases) i where (i ->> 'address')::inet = l.address
        and (i ->> 'epoch')::bigint = l.epoch);
  update block set nonce = p_nonce, acked_epoch = greatest(acked_epoch, coalesce(
      (select max((i ->> 'epoch')::bigint) from jsonb_array_elements(p_released) i), 0))
    where id = p_block;
  foreach w in array wrong loop
    alarms := alarms + lease_alarm(b.node_id, (w ->> 'address')::inet, (w ->> 'epoch')::bigint,
      (w ->> 'veid')::integer, w ->> 'why');
    exit when alarms = 16;
  end loop;
  return to_jsonb(alarms);
end
$$;
