-- SPDX-License-Identifier: MIT
-- fannkuch.lua [N]: over all permutations of 1..N, how often must the first k
-- entries be turned round (k being the first entry) until a 1 leads? Small
-- arrays of integers, no garbage. Prints a checksum with alternating signs and
-- the largest count.

local n = tonumber(arg[1]) or 9

-- Turns the stack of pancakes `p` until a 1 lies on top; returns the turns.
local function flips(p)
  local turns = 0
  local first = p[1]
  while first ~= 1 do
    local i, j = 1, first
    while i < j do
      p[i], p[j] = p[j], p[i]
      i, j = i + 1, j - 1
    end
    turns = turns + 1
    first = p[1]
  end
  return turns
end

local function fannkuch(size)
  local perm, work, count = {}, {}, {}
  for i = 1, size do perm[i], count[i] = i, i end
  local checksum, longest, sign = 0, 0, 1
  while true do
    if perm[1] ~= 1 then
      for i = 1, size do work[i] = perm[i] end
      local turns = flips(work)
      checksum = checksum + sign * turns
      if turns > longest then longest = turns end
    end
    -- The next permutation: rotate the first 2, 3, ... entries, each prefix
    -- as often as its counter allows.
    sign = -sign
    local i = 2
    while true do
      if i > size then return checksum, longest end
      local first = perm[1]
      for j = 1, i - 1 do perm[j] = perm[j + 1] end
      perm[i] = first
      count[i] = count[i] - 1
      if count[i] > 0 then break end
      count[i] = i
      i = i + 1
    end
  end
end

local checksum, longest = fannkuch(n)
io.write(string.format("%d\nPfannkuchen(%d) = %d\n", checksum, n, longest))
