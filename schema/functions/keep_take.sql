-- SPDX-License-Identifier: Apache-2.0
-- A link from a warning, once: it puts off what the letter warned of, and nothing
-- else can be done with it.
create or replace function ve.keep_take(p_keep bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  k keep;
  v ve;
  j jsonb;
begin
  delete from keep where token_hash = p_keep returning * into k;
  if k.token_hash is null or k.expires_at <= now() then
    raise exception using errcode = 'VE021',
      message = 'this link has been used, or it is too old: log in and look at the page of your environment';
  end if;
  select * into v from ve where veid = k.veid for update;
  j := ve_put_off(v, (select email from subscriber where id = v.subscriber_id));
  return jsonb_build_object('veid', k.veid, 'state', j -> 'state', 'expires_at', j -> 'expires_at');
end
$$;
