-- SPDX-License-Identifier: Apache-2.0
-- Ends the leases of blocks whose term is over: the node has fenced itself by
-- then.
create or replace function ve.lease_close() returns void
  language sql
  set search_path = ve, pg_temp
as $$
  update lease l set during = tstzrange(lower(l.during),
      greatest(upper(b.term), lower(l.during) + interval '1 microsecond'))
    from block b where b.id = l.block_id and upper_inf(l.during) and upper(b.term) <= now()
$$;
