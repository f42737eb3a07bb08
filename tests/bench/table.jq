# SPDX-License-Identifier: Apache-2.0
# A bench file as a table to read.
def pad($n): tostring | . + (" " * ([$n - length, 0] | max));
def lpad($n): tostring | (" " * ([$n - length, 0] | max)) + .;
def short: if type != "number" then . elif . >= 100 or . == floor then (. * 10 | round / 10) else (. * 1000 | round / 1000) end;

(["metric", "mode", "subject", "unit", "n", "p50", "p99", "min", "max"],
 (.rows[] | [.metric, .mode, .subject, .unit]
   + if has("error") then ["error: " + .error] else [.n, .p50, .p99, .min, .max] | map(short) end))
| (.[0] | pad(16)) + (.[1] | pad(8)) + (.[2] | pad(18)) + (.[3] | pad(8))
  + (.[4:] | if length == 1 then .[0] else map(lpad(10)) | join("") end)
