-- SPDX-License-Identifier: Apache-2.0
create or replace function ve.usage_get(p_token bytea, p_veid integer) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  return usage_json((ve_require(p_token, p_veid)).veid);
end
$$;
