-- SPDX-License-Identifier: Apache-2.0
-- A block of this node that it can spare: it has had it for five minutes, and
-- nobody an address of it, it has more, nobody waits there for an address, and
-- another node asked in vain.  Null for none.
create or replace function ve.block_spare(p_node text) returns jsonb
  language sql security definer stable
  set search_path = ve, ext, pg_temp
as $$
  select to_jsonb(b.id) from block b
    where b.node_id = p_node and upper(b.term) > now() + interval '60 seconds'
      and lower(b.term) < now() - interval '5 minutes'
      and not exists (select from ve v where v.node_id = p_node and v.waiting is not null and v.deleted_at is null)
      and exists (select from node n where n.id <> p_node and n.state <> 'revoked'
        and n.short_at > now() - interval '1 minute')
      and (select count(*) from block o where o.node_id = p_node
        and upper(o.term) > now() + interval '60 seconds') > 1
      and not exists (select from lease l where l.block_id = b.id
        and coalesce(upper(l.during), 'infinity') > now() - interval '5 minutes')
    order by b.id desc limit 1
$$;
