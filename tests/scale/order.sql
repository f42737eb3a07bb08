-- SPDX-License-Identifier: Apache-2.0
-- Who came into the line and who was served out of it, for order.py.
copy (select case when a.action = 've.create' then 'served' else 'joined' end, a.id, extract(epoch from a.at),
    a.subscriber_id, ve.network_of(s.created_from)
  from ve.audit a join ve.subscriber s on s.id = a.subscriber_id
  where a.action = 'queue.join' or (a.action = 'account.signup' and a.veid is null)
    or (a.action = 've.create' and a.actor = 'line')
  order by a.id) to stdout
