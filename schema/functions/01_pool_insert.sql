-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.pool_insert(p_actor text, p_range cidr, p_block_len integer,
  p_excluded cidr[]) returns bigint
  language plpgsql
  set search_path = ve, ext, pg_temp
as $$
declare
  p bigint;
begin
  if family(p_range) = 4 and p_block_len < masklen(p_range) then
    raise exception using errcode = 'VE017', message = format(
      'the pool %s is smaller than one block of /%s: take a longer block length or a larger range',
      p_range, p_block_len);
  end if;
  if exists (select from unnest(p_excluded) x where not x <<= p_range) then
    raise exception using errcode = 'VE017', message = format('the exclusion %s is not a part of the pool %s',
      (select x from unnest(p_excluded) x where not x <<= p_range limit 1), p_range);
  end if;
  if family(p_range) = 6 and exists (select from unnest(p_excluded) x where masklen(x) < 112
      and x && set_masklen(p_range, case family(p_range) when 6 then 97 else 32 end)) then
    raise exception using errcode = 'VE017', message = format(
      'environments get the first addresses of %s one after the other: an exclusion among them is of /112 or less', p_range);
  end if;
  insert into pool (range, block_len, excluded) values (p_range,
      case family(p_range) when 4 then coalesce(p_block_len, least(32, greatest(28, masklen(p_range))))
        else 128 end, p_excluded)
    returning id into p;
  perform audit_add(p_actor, 'pool.add', null, null,
    jsonb_build_object('range', p_range::text, 'excluded', p_excluded::text[]));
  return p;
exception
  when exclusion_violation then
    raise exception using errcode = 'VE016', message = format('the range %s overlaps with the pool %s', p_range,
      (select range from pool where range && p_range limit 1));
  when check_violation then
    raise exception using errcode = 'VE017',
      message = 'a pool is an IPv4 range of /8 to /32 or an IPv6 range of /16 to /96, its blocks at most 12 bits longer';
end
$$;
