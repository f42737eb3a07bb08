-- SPDX-License-Identifier: Apache-2.0
-- Who this is; null for a stranger.
create or replace function ve.session_get(p_token bytea) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  who record;
begin
  select * into who from session_require(p_token);
  return jsonb_build_object('session', who.session_id, 'subscriber', who.subscriber_id,
    'email', who.email, 'operator', who.operator, 'veid',
    (select v.veid from ve v where v.subscriber_id = who.subscriber_id and v.deleted_at is null));
exception when sqlstate 'VE010' then
  return null;
end
$$;
