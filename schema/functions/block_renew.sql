-- SPDX-License-Identifier: Apache-2.0
-- Lengthens a block's term, and commits, before the node hears of it: what the
-- node counts (45 s from an older answer of its own) ends well before.  Null
-- when the node has not been heard for so long that it must have let go.  A clock
-- that was put back shortens no term.
create or replace function ve.block_renew(p_block bigint) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  b block;
begin
  update block set renewed_at = now(),
      term = tstzrange(lower(term), greatest(upper(term), now() + interval '120 seconds'))
    where id = p_block and upper(term) > now() + interval '60 seconds'
      and not exists (select from node n where n.id = block.node_id and n.state = 'revoked')
    returning * into b;
  if not found then
    return null;
  end if;
  return jsonb_build_object('id', b.id, 'range', b.range::text, 'term_ms', 60000,
    'nonce', b.nonce, 'acked_epoch', b.acked_epoch);
end
$$;
