-- SPDX-License-Identifier: Apache-2.0
-- What a log-in needs to check a password.  Known or not, the same work: a
-- limit is taken for the network and for this address from this network.
create or replace function ve.account_lookup(p_email text, p_address inet) returns jsonb
  language plpgsql security definer
  set search_path = ve, pg_temp
as $$
declare
  free boolean;
begin
  free := rate_take('login', network_of(p_address)::text);
  free := rate_take('login_account', network_of(p_address) || ' ' || p_email) and free;
  return jsonb_build_object('limited', not free) || coalesce((
    select jsonb_build_object('subscriber', s.id, 'password_hash', c.password_hash)
      from subscriber s join credential c on c.subscriber_id = s.id
      where s.email = p_email), '{}');
end
$$;
