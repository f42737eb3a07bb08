-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.pool_insert(p_actor text, p_range cidr, p_block_len integer)
  returns bigint
  language plpgsql
  set search_path = ve, ext, pg_temp
as $$
declare
  p bigint;
begin
  insert into pool (range, block_len) values (p_range,
      case family(p_range) when 4 then coalesce(p_block_len, least(32, greatest(28, masklen(p_range))))
        else 128 end)
    returning id into p;
  perform audit_add(p_actor, 'pool.add', null, null,
    jsonb_build_object('range', p_range::text));
  return p;
exception
  when exclusion_violation then
    raise exception using errcode = 'VE016', message = 'these addresses are in a pool already';
  when check_violation then
    raise exception using errcode = 'VE017',
      message = 'a pool is an IPv4 range of /8 to /32 or an IPv6 range of /16 to /96, its blocks at most 12 bits longer';
end
$$;
