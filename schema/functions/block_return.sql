-- SPDX-License-Identifier: Apache-2.0
-- The node has let go of a block; it is lent again after the quarantine.
create or replace function ve.block_return(p_block bigint) returns void
  language sql security definer
  set search_path = ve, ext, pg_temp
as $$
  update block set term = tstzrange(lower(term), least(upper(term), now() + interval '60 seconds'))
    where id = p_block
$$;
