-- SPDX-License-Identifier: MIT
-- binary_trees.lua [N]: the classic allocation benchmark. Builds, counts and
-- drops perfect binary trees of many depths beside one tree that lives to the
-- end. Prints one line per depth. Needs no library but math, string and io.

local max_depth = math.max(6, tonumber(arg[1]) or 13)
local min_depth = 4
local stretch_depth = max_depth + 1

local function build(depth)
  if depth == 0 then return { false, false } end
  return { build(depth - 1), build(depth - 1) }
end

local function count(tree)
  local left = tree[1]
  if not left then return 1 end
  return 1 + count(left) + count(tree[2])
end

io.write(string.format("stretch tree of depth %d\t check: %d\n",
                       stretch_depth, count(build(stretch_depth))))

local long_lived = build(max_depth)

for depth = min_depth, max_depth, 2 do
  local trees = 2 ^ (max_depth - depth + min_depth)
  local check = 0
  for _ = 1, trees do check = check + count(build(depth)) end
  io.write(string.format("%d\t trees of depth %d\t check: %d\n",
                         trees, depth, check))
end

io.write(string.format("long lived tree of depth %d\t check: %d\n",
                       max_depth, count(long_lived)))
