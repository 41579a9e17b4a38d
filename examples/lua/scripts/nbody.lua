-- SPDX-License-Identifier: MIT
-- nbody.lua [STEPS]: the sun and the four outer planets, moved by a symplectic
-- integrator. Float arithmetic on table fields; hardly any garbage. Prints the
-- energy of the system before and after.

local steps = tonumber(arg[1]) or 200000
local sqrt = math.sqrt

local kSolarMass = 4 * math.pi * math.pi
local kDaysPerYear = 365.24

-- Position in astronomical units, velocity in units a day, mass in suns.
local function body(x, y, z, vx, vy, vz, mass)
  return {
    x = x, y = y, z = z,
    vx = vx * kDaysPerYear, vy = vy * kDaysPerYear, vz = vz * kDaysPerYear,
    mass = mass * kSolarMass,
  }
end

local bodies = {
  body(0, 0, 0, 0, 0, 0, 1),
  -- Jupiter
  body(4.84143144246472090e+00, -1.16032004402742839e+00,
       -1.03622044471123109e-01, 1.66007664274403694e-03,
       7.69901118419740425e-03, -6.90460016972063023e-05,
       9.54791938424326609e-04),
  -- Saturn
  body(8.34336671824457987e+00, 4.12479856412430479e+00,
       -4.03523417114321381e-01, -2.76742510726411960e-03,
       4.99852801234917238e-03, 2.30417297573763929e-05,
       2.85885980666130812e-04),
  -- Uranus
  body(1.28943695621391310e+01, -1.51111514016986312e+01,
       -2.23307578892655734e-01, 2.96460137564761618e-03,
       2.37847173959480950e-03, -2.96589568540237556e-05,
       4.36624404335156298e-05),
  -- Neptune
  body(1.53796971148509165e+01, -2.59193146099879641e+01,
       1.79258772950371181e-01, 2.68067772490389322e-03,
       1.62824170038242295e-03, -9.51592254519715870e-05,
       5.15138902046611451e-05),
}

-- Gives the sun the momentum that makes the whole stand still.
local function offset_momentum()
  local px, py, pz = 0, 0, 0
  for _, b in ipairs(bodies) do
    px = px + b.vx * b.mass
    py = py + b.vy * b.mass
    pz = pz + b.vz * b.mass
  end
  local sun = bodies[1]
  sun.vx = -px / kSolarMass
  sun.vy = -py / kSolarMass
  sun.vz = -pz / kSolarMass
end

local function energy()
  local e = 0
  for i, b in ipairs(bodies) do
    e = e + 0.5 * b.mass * (b.vx * b.vx + b.vy * b.vy + b.vz * b.vz)
    for j = i + 1, #bodies do
      local o = bodies[j]
      local dx, dy, dz = b.x - o.x, b.y - o.y, b.z - o.z
      e = e - b.mass * o.mass / sqrt(dx * dx + dy * dy + dz * dz)
    end
  end
  return e
end

local function advance(dt)
  local n = #bodies
  for i = 1, n do
    local b = bodies[i]
    local x, y, z, mass = b.x, b.y, b.z, b.mass
    local vx, vy, vz = b.vx, b.vy, b.vz
    for j = i + 1, n do
      local o = bodies[j]
      local dx, dy, dz = x - o.x, y - o.y, z - o.z
      local d2 = dx * dx + dy * dy + dz * dz
      local mag = dt / (d2 * sqrt(d2))
      local own, other = mass * mag, o.mass * mag
      vx, vy, vz = vx - dx * other, vy - dy * other, vz - dz * other
      o.vx = o.vx + dx * own
      o.vy = o.vy + dy * own
      o.vz = o.vz + dz * own
    end
    b.vx, b.vy, b.vz = vx, vy, vz
    b.x, b.y, b.z = x + dt * vx, y + dt * vy, z + dt * vz
  end
end

offset_momentum()
io.write(string.format("%.9f\n", energy()))
for _ = 1, steps do advance(0.01) end
io.write(string.format("%.9f\n", energy()))
