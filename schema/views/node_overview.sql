-- SPDX-License-Identifier: Apache-2.0
-- Facts are what a node says: one that lies spoils no list of the others.  alarms:
-- its leases of the last day that another VE had, or whose VE was gone.
drop view if exists ve.node_overview;
create view ve.node_overview as
  select n.id, n.url, n.state, n.capacity, n.placed, ve.iso(n.seen_at) as seen_at,
    coalesce(n.seen_at > now() - interval '60 seconds', false) and n.state <> 'revoked' as alive,
    n.facts ->> 'version' as version, n.facts ->> 'kernel' as kernel,
    case when jsonb_typeof(n.facts -> 'memory_bytes') = 'number' then n.facts -> 'memory_bytes' end as memory_bytes,
    case when jsonb_typeof(n.facts -> 'memory_free_bytes') = 'number' then n.facts -> 'memory_free_bytes' end as memory_free_bytes,
    (select count(*) from ve.ve v where v.node_id = n.id and v.deleted_at is null
      and v.state = 'running' and n.state <> 'revoked') as running,
    (select count(*) from ve.ve v where v.node_id = n.id and v.deleted_at is null
      and n.state = 'revoked') as lost,
    (select count(*) from ve.block b where b.node_id = n.id and upper(b.term) > now()) as blocks,
    (select count(*) from ve.audit a where a.action = 'lease.alarm' and a.detail ->> 'node' = n.id
      and a.at > now() - interval '1 day') as alarms
  from ve.node n;
