-- SPDX-License-Identifier: Apache-2.0
-- Chooses a node and makes the VE there, in the caller's transaction.  The row
-- lock on the node makes two callers take the last place one after the other; the
-- one on the person, taken first, has a suspension or a confirmation come before
-- this or find the VE.  A number whose IPv6 address is excluded from the pool is
-- nobody's.
create or replace function ve.ve_place(p_subscriber bigint, p_template text, p_network cidr)
  returns integer
  language plpgsql
  set search_path = ve, ext, pg_temp
as $$
declare
  n text;
  v integer;
  p pool;
  a inet;
begin
  perform subscriber_hold(p_subscriber);
  if not exists (select from template where name = p_template and enabled) then
    raise exception using errcode = 'VE004', message = 'there is no such template';
  end if;
  update node set placed = placed + 1 where id = (
      select id from node
        where state = 'active' and placed < capacity and seen_at > now() - interval '60 seconds'
        order by placed::float / capacity, id limit 1 for update)
    and placed < capacity
    returning id into n;
  if n is null then
    raise exception using errcode = 'VE002', message = 'every place is taken at the moment';
  end if;
  select * into p from pool where family(range) = 6 order by id limit 1;
  for i in 0..100000 loop
    v := nextval('veid_seq');
    a := set_masklen(network(p.range)::inet + v::bigint, 128);
    exit when not exists (select from unnest(p.excluded) x where a <<= x);
    if i = 100000 then -- the next attempt goes on from here
      raise exception using errcode = 'VE002', message = 'every place is taken at the moment';
    end if;
  end loop;
  insert into ve (veid, subscriber_id, node_id, template, plan, hostname, ipv6, network, expires_at)
    select v, p_subscriber, n, p_template, l.name, 've' || v, a, p_network, now() + l.life
      from plan l where l.name = (select case when s.confirmed_at is null then 'trial'
        else 'confirmed' end from subscriber s where s.id = p_subscriber);
  perform job_add(v, 'create');
  return v;
exception when unique_violation then
  raise exception using errcode = 'VE009', message = 'you have an environment already';
end
$$;
