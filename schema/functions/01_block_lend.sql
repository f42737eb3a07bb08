-- SPDX-License-Identifier: Apache-2.0
-- Lends a node a block that nobody has; null when all are out.  A block with a
-- hole in it is lent in smaller ones, around the hole.
create or replace function ve.block_lend(p_node text) returns bigint
  language plpgsql
  set search_path = ve, ext, pg_temp
as $$
declare
  p pool;
  b bigint;
begin
  for p in select * from pool where family(range) = 4 order by id for update loop
    with recursive c as (
      select set_masklen((network(p.range)::inet + i * (2 ^ (32 - p.block_len))::bigint),
          p.block_len)::cidr as range
        from generate_series(0, (2 ^ (p.block_len - masklen(p.range)))::bigint - 1) i
      union all
      select set_masklen(network(c.range)::inet + half * (2 ^ (31 - masklen(c.range)))::bigint,
          masklen(c.range) + 1)::cidr
        from c, generate_series(0, 1) half
        where masklen(c.range) < 32 and exists (select from unnest(p.excluded) x where x && c.range)
          and not exists (select from unnest(p.excluded) x where c.range <<= x))
    insert into block (pool_id, node_id, range, term)
      select p.id, p_node, c.range, tstzrange(now(), now() + interval '120 seconds')
        from c
        where not exists (select from unnest(p.excluded) x where x && c.range)
          and not exists (select from block o where o.range && c.range and upper(o.term) > now())
        order by c.range limit 1
      returning id into b;
    if b is not null then
      return b;
    end if;
  end loop;
  return null;
end
$$;
