-- SPDX-License-Identifier: MIT
-- n_queens.lua [N]: counts all ways to place N queens on an N x N board and
-- draws the first. Backtracking over small arrays; one table per solution.

local n = tonumber(arg[1]) or 12

local columns, rising, falling, place = {}, {}, {}, {}
local solutions = {}

local function solve(row)
  if row > n then
    local found = {}
    for i = 1, n do found[i] = place[i] end
    solutions[#solutions + 1] = found
    return
  end
  for col = 1, n do
    local up, down = row + col, row - col + n
    if not (columns[col] or rising[up] or falling[down]) then
      columns[col], rising[up], falling[down] = true, true, true
      place[row] = col
      solve(row + 1)
      columns[col], rising[up], falling[down] = false, false, false
    end
  end
end

local function draw(solution)
  for _, col in ipairs(solution) do
    io.write(string.rep(". ", col - 1), "Q ", string.rep(". ", n - col), "\n")
  end
end

solve(1)
io.write(string.format("%d queens: %d solutions\n", n, #solutions))
if #solutions > 0 then draw(solutions[1]) end

-- A fingerprint of every solution in the order found.
local hash = 7
for _, solution in ipairs(solutions) do
  for _, col in ipairs(solution) do hash = (hash * 31 + col) % 1000000007 end
end
io.write(string.format("fingerprint %d\n", hash))
