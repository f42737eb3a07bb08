-- SPDX-License-Identifier: Apache-2.0
-- The house in numbers, for the landing page and for monitoring: of what is there
-- now.  Everybody may ask at any time, so nothing here counts what ever was; of
-- the alarms, which an index has and which are few, those of the last day.
drop view if exists ve.capacity;
create view ve.capacity as
  select
    v.environments, v.running,
    (select coalesce(sum(greatest(capacity - placed, 0)), 0) from ve.node
      where state = 'active' and seen_at > now() - interval '60 seconds') as free,
    (select count(*) from ve.node where state <> 'revoked'
      and seen_at > now() - interval '60 seconds') as nodes,
    (select count(*) from ve.queue) as waiting,
    (select count(*) from ve.lease where upper_inf(during)) as leases,
    (select coalesce(sum((2 ^ (32 - masklen(range)))::bigint), 0) from ve.pool
      where family(range) = 4) as addresses,
    (select count(*) from ve.audit where action = 'lease.alarm' and at > now() - interval '1 day') as alarms
  from (select count(*) as environments, count(*) filter (where state in ('running', 'starting')) as running
    from ve.ve where deleted_at is null) v;
