"""Loop nests on tensors as text."""

from __future__ import annotations

SCATTER_ADD = """
func.func @forward(%x: tensor<?xf32>, %index: tensor<?xi64>, %source: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.dim %index, %c0 : tensor<?xi64>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%t = %x) -> (tensor<?xf32>) {
    %where = tensor.extract %index[%i] : tensor<?xi64>
    %at = arith.index_cast %where : i64 to index
    %value = tensor.extract %source[%i] : tensor<?xf32>
    %old = tensor.extract %t[%at] : tensor<?xf32>
    %sum = arith.addf %old, %value : f32
    %u = tensor.insert %sum into %t[%at] : tensor<?xf32>
    scf.yield %u : tensor<?xf32>
  }
  return %r : tensor<?xf32>
}
"""

CUMSUM = """
func.func @forward(%x: tensor<?x?xf32>) -> tensor<?x?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %zero = arith.constant 0.0 : f32
  %rows = tensor.dim %x, %c0 : tensor<?x?xf32>
  %n = tensor.dim %x, %c1 : tensor<?x?xf32>
  %e = tensor.empty(%rows, %n) : tensor<?x?xf32>
  %r = scf.for %i = %c0 to %rows step %c1 iter_args(%t = %e) -> (tensor<?x?xf32>) {
    %row, %total = scf.for %j = %c0 to %n step %c1 iter_args(%u = %t, %acc = %zero) -> (tensor<?x?xf32>, f32) {
      %value = tensor.extract %x[%i, %j] : tensor<?x?xf32>
      %next = arith.addf %acc, %value : f32
      %v = tensor.insert %next into %u[%i, %j] : tensor<?x?xf32>
      scf.yield %v, %next : tensor<?x?xf32>, f32
    }
    scf.yield %row : tensor<?x?xf32>
  } {npcomp.parallel}
  return %r : tensor<?x?xf32>
}
"""

BUBBLE_SORT = """
func.func @forward(%x: tensor<?xf64>) -> tensor<?xf64> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c0 : tensor<?xf64>
  %last = arith.subi %n, %c1 : index
  %yes = arith.constant true
  %no = arith.constant false
  %sorted, %done = scf.while (%t = %x, %more = %yes) : (tensor<?xf64>, i1) -> (tensor<?xf64>, i1) {
    scf.condition(%more) %t, %more : tensor<?xf64>, i1
  } do {
  ^bb0(%t: tensor<?xf64>, %more: i1):
    %r, %swapped = scf.for %i = %c0 to %last step %c1 iter_args(%u = %t, %s = %no) -> (tensor<?xf64>, i1) {
      %j = arith.addi %i, %c1 : index
      %a = tensor.extract %u[%i] : tensor<?xf64>
      %b = tensor.extract %u[%j] : tensor<?xf64>
      %wrong = arith.cmpf ogt, %a, %b : f64
      %v = scf.if %wrong -> tensor<?xf64> {
        %v0 = tensor.insert %b into %u[%i] : tensor<?xf64>
        %v1 = tensor.insert %a into %v0[%j] : tensor<?xf64>
        scf.yield %v1 : tensor<?xf64>
      } else {
        scf.yield %u : tensor<?xf64>
      }
      %any = arith.ori %s, %wrong : i1
      scf.yield %v, %any : tensor<?xf64>, i1
    }
    scf.yield %r, %swapped : tensor<?xf64>, i1
  }
  return %sorted : tensor<?xf64>
}
"""

# Two levels a round, from the result to the scratch and back, so that the result ends where it started.
MERGE_SORT = """
func.func @forward(%x: tensor<?xf32>) -> tensor<?xf32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c2 = arith.constant 2 : index
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %scratch = tensor.empty(%n) : tensor<?xf32>
  %w, %sorted, %rest = scf.while (%w = %c1, %a = %x, %b = %scratch)
      : (index, tensor<?xf32>, tensor<?xf32>) -> (index, tensor<?xf32>, tensor<?xf32>) {
    %more = arith.cmpi slt, %w, %n : index
    scf.condition(%more) %w, %a, %b : index, tensor<?xf32>, tensor<?xf32>
  } do {
  ^bb0(%w: index, %a: tensor<?xf32>, %b: tensor<?xf32>):
    %w2 = arith.muli %w, %c2 : index
    %w4 = arith.muli %w2, %c2 : index
    %b1 = scf.for %low = %c0 to %n step %w2 iter_args(%t = %b) -> (tensor<?xf32>) {
      %m0 = arith.addi %low, %w : index
      %middle = arith.minsi %m0, %n : index
      %h0 = arith.addi %low, %w2 : index
      %high = arith.minsi %h0, %n : index
      %p, %q, %merged = scf.for %k = %low to %high step %c1 iter_args(%p = %low, %q = %middle, %u = %t)
          -> (index, index, tensor<?xf32>) {
        %left = arith.cmpi slt, %p, %middle : index
        %right = arith.cmpi slt, %q, %high : index
        %first = scf.if %left -> i1 {
          %is = scf.if %right -> i1 {
            %y = tensor.extract %a[%p] : tensor<?xf32>
            %z = tensor.extract %a[%q] : tensor<?xf32>
            %less = arith.cmpf ole, %y, %z : f32
            scf.yield %less : i1
          } else {
            scf.yield %left : i1
          }
          scf.yield %is : i1
        } else {
          scf.yield %left : i1
        }
        %from = arith.select %first, %p, %q : index
        %value = tensor.extract %a[%from] : tensor<?xf32>
        %v = tensor.insert %value into %u[%k] : tensor<?xf32>
        %step = arith.index_castui %first : i1 to index
        %other = arith.subi %c1, %step : index
        %p1 = arith.addi %p, %step : index
        %q1 = arith.addi %q, %other : index
        scf.yield %p1, %q1, %v : index, index, tensor<?xf32>
      }
      scf.yield %merged : tensor<?xf32>
    }
    %a1 = scf.for %low = %c0 to %n step %w4 iter_args(%t = %a) -> (tensor<?xf32>) {
      %m0 = arith.addi %low, %w2 : index
      %middle = arith.minsi %m0, %n : index
      %h0 = arith.addi %low, %w4 : index
      %high = arith.minsi %h0, %n : index
      %p, %q, %merged = scf.for %k = %low to %high step %c1 iter_args(%p = %low, %q = %middle, %u = %t)
          -> (index, index, tensor<?xf32>) {
        %left = arith.cmpi slt, %p, %middle : index
        %right = arith.cmpi slt, %q, %high : index
        %first = scf.if %left -> i1 {
          %is = scf.if %right -> i1 {
            %y = tensor.extract %b1[%p] : tensor<?xf32>
            %z = tensor.extract %b1[%q] : tensor<?xf32>
            %less = arith.cmpf ole, %y, %z : f32
            scf.yield %less : i1
          } else {
            scf.yield %left : i1
          }
          scf.yield %is : i1
        } else {
          scf.yield %left : i1
        }
        %from = arith.select %first, %p, %q : index
        %value = tensor.extract %b1[%from] : tensor<?xf32>
        %v = tensor.insert %value into %u[%k] : tensor<?xf32>
        %step = arith.index_castui %first : i1 to index
        %other = arith.subi %c1, %step : index
        %p1 = arith.addi %p, %step : index
        %q1 = arith.addi %q, %other : index
        scf.yield %p1, %q1, %v : index, index, tensor<?xf32>
      }
      scf.yield %merged : tensor<?xf32>
    }
    scf.yield %w4, %a1, %b1 : index, tensor<?xf32>, tensor<?xf32>
  }
  return %sorted : tensor<?xf32>
}
"""

# Newton's square root of every element, each to convergence; how many steps the longest took.
CONVERGE = """
func.func @forward(%x: tensor<?xf64>) -> (tensor<?xf64>, i64) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %none = arith.constant 0 : i64
  %one = arith.constant 1 : i64
  %half = arith.constant 0.5 : f64
  %small = arith.constant 1.0e-14 : f64
  %n = tensor.dim %x, %c0 : tensor<?xf64>
  %e = tensor.empty(%n) : tensor<?xf64>
  %r, %most = scf.for %i = %c0 to %n step %c1 iter_args(%t = %e, %m = %none) -> (tensor<?xf64>, i64) {
    %a = tensor.extract %x[%i] : tensor<?xf64>
    %t0 = tensor.insert %a into %t[%i] : tensor<?xf64>
    %t3, %steps = scf.while (%u = %t0, %k = %none) : (tensor<?xf64>, i64) -> (tensor<?xf64>, i64) {
      %y = tensor.extract %u[%i] : tensor<?xf64>
      %square = arith.mulf %y, %y : f64
      %off = arith.subf %square, %a : f64
      %size = math.absf %off : f64
      %bound = arith.mulf %small, %a : f64
      %more = arith.cmpf ogt, %size, %bound : f64
      scf.condition(%more) %u, %k : tensor<?xf64>, i64
    } do {
    ^bb0(%u: tensor<?xf64>, %k: i64):
      %y = tensor.extract %u[%i] : tensor<?xf64>
      %q = arith.divf %a, %y : f64
      %s = arith.addf %y, %q : f64
      %z = arith.mulf %half, %s : f64
      %v = tensor.insert %z into %u[%i] : tensor<?xf64>
      %k1 = arith.addi %k, %one : i64
      scf.yield %v, %k1 : tensor<?xf64>, i64
    }
    %m1 = arith.maxsi %m, %steps : i64
    scf.yield %t3, %m1 : tensor<?xf64>, i64
  }
  return %r, %most : tensor<?xf64>, i64
}
"""

# h = a * h + x of three channels, in the element type KIND.
RECURRENCE = """
func.func @forward(%x: tensor<?x3xKIND>, %a: KIND_ARG) -> (tensor<?x3xKIND>, tensor<3xKIND>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %zero = arith.constant 0.0 : KIND
  %n = tensor.dim %x, %c0 : tensor<?x3xKIND>
  %factor = CAST
  %e = tensor.empty(%n) : tensor<?x3xKIND>
  %h0 = arith.constant dense<0.0> : tensor<3xKIND>
  %r, %h = scf.for %i = %c0 to %n step %c1 iter_args(%t = %e, %h = %h0) -> (tensor<?x3xKIND>, tensor<3xKIND>) {
    %t2, %h2 = scf.for %j = %c0 to %c3 step %c1 iter_args(%u = %t, %g = %h) -> (tensor<?x3xKIND>, tensor<3xKIND>) {
      %old = tensor.extract %g[%j] : tensor<3xKIND>
      %in = tensor.extract %x[%i, %j] : tensor<?x3xKIND>
      %scaled = arith.mulf %factor, %old : KIND
      %new = arith.addf %scaled, %in : KIND
      %u1 = tensor.insert %new into %u[%i, %j] : tensor<?x3xKIND>
      %g1 = tensor.insert %new into %g[%j] : tensor<3xKIND>
      scf.yield %u1, %g1 : tensor<?x3xKIND>, tensor<3xKIND>
    }
    scf.yield %t2, %h2 : tensor<?x3xKIND>, tensor<3xKIND>
  }
  return %r, %h : tensor<?x3xKIND>, tensor<3xKIND>
}
"""

# Writes x[index[i]] = i; an index outside of x is refused with its value.
GUARDED = """
func.func @forward(%x: tensor<?xi32>, %index: tensor<?xi64>) -> tensor<?xi32> {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %size = tensor.dim %x, %c0 : tensor<?xi32>
  %n = tensor.dim %index, %c0 : tensor<?xi64>
  %r = scf.for %i = %c0 to %n step %c1 iter_args(%t = %x) -> (tensor<?xi32>) {
    %where = tensor.extract %index[%i] : tensor<?xi64>
    %at = arith.index_cast %where : i64 to index
    %ok = arith.cmpi ult, %at, %size : index
    tcf.guard %ok, "IndexError", "index {0} of {1} elements"(%where, %size) : i64, index
    %value = arith.index_cast %i : index to i32
    %u = tensor.insert %value into %t[%at] : tensor<?xi32>
    scf.yield %u : tensor<?xi32>
  }
  return %r : tensor<?xi32>
}
"""

# The loop overwrites what is read again behind it, and a tensor that only it reads.
READ_LATER = """
func.func @forward(%x: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %two = arith.constant 2.0 : f32
  %n = tensor.dim %x, %c0 : tensor<?xf32>
  %e = tensor.empty(%n) : tensor<?xf32>
  %y = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%x : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %d = arith.mulf %v, %two : f32
    linalg.yield %d : f32
  } -> tensor<?xf32>
  %first = scf.for %i = %c0 to %n step %c1 iter_args(%t = %y) -> (tensor<?xf32>) {
    %old = tensor.extract %t[%i] : tensor<?xf32>
    %new = arith.addf %old, %two : f32
    %u = tensor.insert %new into %t[%i] : tensor<?xf32>
    scf.yield %u : tensor<?xf32>
  }
  %second = scf.for %i = %c0 to %n step %c1 iter_args(%t = %first) -> (tensor<?xf32>) {
    %u = tensor.insert %two into %t[%i] : tensor<?xf32>
    scf.yield %u : tensor<?xf32>
  }
  %third = scf.for %i = %c0 to %n step %c1 iter_args(%t = %second) -> (tensor<?xf32>) {
    %a = tensor.extract %first[%i] : tensor<?xf32>
    %b = tensor.extract %t[%i] : tensor<?xf32>
    %c = arith.addf %a, %b : f32
    %u = tensor.insert %c into %t[%i] : tensor<?xf32>
    scf.yield %u : tensor<?xf32>
  }
  return %y, %first, %third : tensor<?xf32>, tensor<?xf32>, tensor<?xf32>
}
"""

# A loop that swaps what it carries: not in place, so the driver runs it.
SWAPPING = """
func.func @forward(%x: tensor<?xi64>, %y: tensor<?xi64>) -> (tensor<?xi64>, tensor<?xi64>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.dim %x, %c0 : tensor<?xi64>
  %p, %q = scf.for %i = %c0 to %n step %c1 iter_args(%a = %x, %b = %y) -> (tensor<?xi64>, tensor<?xi64>) {
    %v = arith.index_cast %i : index to i64
    %u = tensor.insert %v into %a[%i] : tensor<?xi64>
    scf.yield %b, %u : tensor<?xi64>, tensor<?xi64>
  }
  return %p, %q : tensor<?xi64>, tensor<?xi64>
}
"""

# x and y start from one tensor, which the loop also reads: three buffers.
ONE_SOURCE = """
func.func @forward(%a: tensor<?xf32>) -> (tensor<?xf32>, tensor<?xf32>) {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %n = tensor.dim %a, %c0 : tensor<?xf32>
  %last = arith.subi %n, %c1 : index
  %e = tensor.empty(%n) : tensor<?xf32>
  %s = linalg.generic {indexing_maps = [affine_map<(i) -> (i)>, affine_map<(i) -> (i)>], iterator_types = ["parallel"]}
      ins(%a : tensor<?xf32>) outs(%e : tensor<?xf32>) {
  ^bb0(%v: f32, %o: f32):
    %d = arith.addf %v, %v : f32
    linalg.yield %d : f32
  } -> tensor<?xf32>
  %p, %q = scf.for %i = %c0 to %n step %c1 iter_args(%x = %s, %y = %s) -> (tensor<?xf32>, tensor<?xf32>) {
    %at = arith.subi %last, %i : index
    %v = tensor.extract %s[%at] : tensor<?xf32>
    %w = tensor.extract %y[%i] : tensor<?xf32>
    %z = arith.addf %v, %w : f32
    %x1 = tensor.insert %v into %x[%i] : tensor<?xf32>
    %y1 = tensor.insert %z into %y[%i] : tensor<?xf32>
    scf.yield %x1, %y1 : tensor<?xf32>, tensor<?xf32>
  }
  return %p, %q : tensor<?xf32>, tensor<?xf32>
}
"""
