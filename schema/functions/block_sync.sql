-- SPDX-License-Identifier: Apache-2.0
-- The blocks that a node has, one more among them when its free addresses run
-- low.  When none is left to lend, that is noted, for nodes that can spare one.
-- A node that only runs low waits while another, where somebody waits for an
-- address, asks in vain: it would take back what it gave up.
-- Each is renewed by block_renew() before it is told to the node.  p_boot and p_ms
-- are the caller's boot and CLOCK_BOOTTIME, see clock_check().
create or replace function ve.block_sync(p_node text, p_boot text default null,
  p_ms bigint default null) returns jsonb
  language plpgsql security definer
  set search_path = ve, ext, pg_temp
as $$
declare
  have bigint;
  used bigint;
  short boolean := false;
begin
  perform clock_check(p_boot, p_ms);
  perform lease_close();
  select coalesce(sum((2 ^ (32 - masklen(range)))::bigint), 0) into have
    from block where node_id = p_node and upper(term) > now() + interval '60 seconds';
  select count(*) into used from lease l join block b on b.id = l.block_id
    where b.node_id = p_node and upper_inf(l.during);
  if exists (select from node where id = p_node and state = 'revoked') then
    return '[]';
  end if;
  if have = 0 or exists (select from ve where node_id = p_node and waiting is not null and deleted_at is null)
      or (used * 4 > have * 3 and not exists (select from node n join ve v on v.node_id = n.id
        where n.id <> p_node and n.state <> 'revoked' and n.short_at > now() - interval '1 minute'
          and v.waiting is not null and v.deleted_at is null)) then
    short := block_lend(p_node) is null;
  end if;
  update node set short_at = case when short then now() end where id = p_node
    and (short or short_at is not null);
  return (select coalesce(jsonb_agg(id order by id), '[]') from block
    where node_id = p_node and upper(term) > now() + interval '60 seconds');
end
$$;
