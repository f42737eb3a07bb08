-- SPDX-License-Identifier: Apache-2.0
-- "Keep it" on the page of a VE.
create or replace function ve.ve_keep(p_token bytea, p_veid integer) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
begin
  return ve_put_off(ve_require(p_token, p_veid), (session_require(p_token)).email);
end
$$;
