-- SPDX-License-Identifier: Apache-2.0
-- For whoever installs (role ve_admin); nothing happens when the range is there.
create or replace function ve.pool_install(p_range cidr, p_block_len integer) returns void
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  if not exists (select from pool where range = p_range) then
    perform pool_insert('installation', p_range, p_block_len, '{}');
  end if;
end
$$;
