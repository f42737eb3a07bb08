-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.pool_add(p_token bytea, p_range text, p_block_len integer,
  p_excluded text) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
  r cidr;
  x cidr[];
begin
  select * into who from session_require(p_token, true);
  begin
    r := p_range::cidr;
  exception when others then
    raise exception using errcode = 'VE017', message = 'that is not a range of addresses, such as 192.0.2.0/24';
  end;
  begin
    x := array(select w::cidr from regexp_split_to_table(coalesce(p_excluded, ''), '[ ,]+') w where w <> '');
  exception when others then
    raise exception using errcode = 'VE017',
      message = 'an exclusion is not a range or an address, such as 192.0.2.1 or 192.0.2.0/30';
  end;
  return jsonb_build_object('id', pool_insert(who.email, r, p_block_len, x), 'range', r::text);
end
$$;
