//! Flat arrays of structs, against arrays of the same structs as objects.

use super::flat::Layout;
use super::{Array, Elements};
use crate::heap::{Duplicate, Record, Ref, Shape, StructDef};
use crate::value::{Tag, Value};
use std::boxed::Box;
use std::vec::Vec;

/// A declaration of an int, a float and a bool.
struct Declared {
    shape: Box<Shape>,
    def: Ref<StructDef>,
}

impl Declared {
    fn new(declaration: u32) -> Declared {
        let shape = Box::new(Shape {
            name: 1,
            fields: Box::new([2, 3, 4]),
            sorted: std::vec![0, 1, 2],
            is_error: false,
            is_everywhere: false,
        });
        let def = StructDef::new(1, declaration, Vec::new(), Vec::new());
        Declared { shape, def }
    }

    fn instance(&self, number: i64) -> Value {
        let mut fields = [
            Value::int(number),
            Value::float(number as f64 / 2.0),
            Value::bool(number % 3 == 0),
        ];
        let def = Some(self.def.clone());
        // SAFETY: the shape outlives the test's values and has three fields.
        Value::from(unsafe { Record::from_values(&raw const *self.shape, def, &mut fields) })
    }

    fn layout(&self) -> Layout {
        let tags = [Tag::Int, Tag::Float, Tag::Bool];
        Layout::new(&raw const *self.shape, tags.into_iter()).expect("scalars")
    }

    fn flat(&self, numbers: core::ops::Range<i64>) -> Ref<Array> {
        let mut array = Array::of_structs(self.def.clone(), self.layout(), 1);
        let target = array.get_mut().expect("unique");
        // What is not marked makes an empty array one of objects, so the first
        // ones come as words.
        if let Some(first) = numbers.clone().next() {
            let words = [
                first as u64,
                (first as f64 / 2.0).to_bits(),
                u64::from(first % 3 == 0),
            ];
            target.extend(&Array::from_words(self.def.clone(), self.layout(), &words));
        }
        numbers
            .skip(1)
            .for_each(|number| target.push(self.instance(number)));
        array
    }

    fn wide(&self, numbers: core::ops::Range<i64>) -> Ref<Array> {
        let instances: Vec<Value> = numbers.map(|number| self.instance(number)).collect();
        Array::unflattened(instances.into_iter())
    }
}

/// Whether both are the same scalar or object, or structs of the same scalars.
fn same_value(left: &Value, right: &Value) -> bool {
    match (left.as_object::<Record>(), right.as_object::<Record>()) {
        (Some(left), Some(right)) => {
            let mut pairs = left.fields().iter().zip(right.fields());
            core::ptr::eq(left.shape(), right.shape())
                && pairs.all(|(left, right)| same_value(left, right))
        }
        _ => left.tag() == right.tag() && left.payload() == right.payload(),
    }
}

fn same(left: &Array, right: &Array) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right.iter())
            .all(|(left, right)| same_value(&left, &right))
}

#[test]
fn flat_structs_do_what_objects_do() {
    let declared = Declared::new(7);
    let (mut flat, mut wide) = (declared.flat(0..5), declared.wide(0..5));
    let other = declared.flat(100..103);
    let mut state = 12345_u64;
    let mut random = move |limit: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % limit
    };
    for round in 0..5000 {
        let pair = [flat.get_mut(), wide.get_mut()].map(|array| array.expect("unique"));
        let len = pair[0].len();
        let (kind, at, number) = (random(9), random(len.max(1)), random(1000) as i64);
        for array in pair {
            match kind {
                0 | 1 if len > 0 => array.push(declared.instance(number)),
                2 if len > 0 => array.set(at, declared.instance(number)),
                3 if len > 1 => drop(array.pop()),
                4 if len > 0 => array.insert(at, declared.instance(number)),
                5 if len > 1 => drop(array.remove(at)),
                6 if len < 100 => array.extend(&other),
                7 if round % 50 == 0 => array.clear(),
                _ => {}
            }
        }
        assert_eq!(flat.elements(), Elements::Structs);
        assert!(same(&flat, &wide), "round {round}");
        let end = random(flat.len() + 1);
        let start = random(end + 1);
        assert!(same(
            &flat.copy_range(start, end, 0),
            &wide.copy_range(start, end, 0)
        ));
        if flat.is_empty() {
            flat.get_mut().expect("unique").extend(&other);
            wide.get_mut().expect("unique").extend(&other.duplicate());
            wide.get_mut().expect("unique").widen();
        }
    }
}

#[test]
fn a_misfit_makes_objects_of_flat_structs() {
    let (declared, stranger) = (Declared::new(7), Declared::new(8));
    let misfits = [
        Value::NULL,
        Value::int(1),
        stranger.instance(1),
        Value::string("text"),
    ];
    for misfit in misfits {
        let mut array = declared.flat(0..3);
        array.get_mut().expect("unique").push(misfit.clone());
        assert_eq!(array.elements(), Elements::Values);
        assert!(same_value(&array.get(3), &misfit));
        let mut array = declared.flat(0..3);
        array.get_mut().expect("unique").set(1, misfit.clone());
        assert_eq!(array.elements(), Elements::Values);
        assert!(same_value(&array.get(1), &misfit));
        assert!(same_value(&array.get(2), &declared.instance(2)));
    }
}

#[test]
fn an_empty_array_takes_any_kind() {
    let declared = Declared::new(7);
    let mut array = declared.flat(0..1);
    let target = array.get_mut().expect("unique");
    drop(target.pop());
    target.push(Value::int(1));
    assert_eq!(target.elements(), Elements::Ints);
    drop(target.pop());
    target.push(declared.instance(1));
    assert_eq!(target.elements(), Elements::Values);
}

#[test]
fn flat_structs_are_reversed_whole() {
    let declared = Declared::new(7);
    let mut array = declared.flat(0..4);
    assert!(array.get_mut().expect("unique").reverse_structs());
    let backwards = declared.wide(0..4);
    assert!(
        array
            .iter()
            .zip(backwards.iter().rev())
            .all(|(left, right)| same_value(&left, &right))
    );
    assert_eq!(array.header().depth, 2);
}
