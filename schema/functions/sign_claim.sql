-- SPDX-License-Identifier: Apache-2.0
-- For the signer: a request that waits, null when there is none.
create or replace function ve.sign_claim() returns jsonb
  language sql security definer stable
  set search_path = ve, pg_temp
as $$
  select jsonb_build_object('id', id, 'node', node_id, 'csr', csr) from enrolment
    where csr is not null and certificate is null and error is null and expires_at > now()
    order by id limit 1
$$;
