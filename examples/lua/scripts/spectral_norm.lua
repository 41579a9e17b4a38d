-- SPDX-License-Identifier: MIT
-- spectral_norm.lua [N]: the largest singular value of the infinite matrix
-- a(i, j) = 1 / ((i + j)(i + j + 1) / 2 + i + 1), cut off at N, by the power
-- method. Function calls and float arithmetic over arrays. Prints the value.

local n = tonumber(arg[1]) or 350

local function a(i, j)
  local ij = i + j - 1
  return 1.0 / (ij * (ij - 1) * 0.5 + i)
end

local function multiply(x, y)
  for i = 1, n do
    local sum = 0.0
    for j = 1, n do sum = sum + x[j] * a(i, j) end
    y[i] = sum
  end
end

local function multiply_transposed(x, y)
  for i = 1, n do
    local sum = 0.0
    for j = 1, n do sum = sum + x[j] * a(j, i) end
    y[i] = sum
  end
end

local u, v, t = {}, {}, {}
for i = 1, n do u[i] = 1.0 end
for _ = 1, 10 do
  multiply(u, t)
  multiply_transposed(t, v)
  multiply(v, t)
  multiply_transposed(t, u)
end

local uv, vv = 0.0, 0.0
for i = 1, n do
  uv = uv + u[i] * v[i]
  vv = vv + v[i] * v[i]
end
io.write(string.format("%.9f\n", math.sqrt(uv / vv)))
