//! Filters that draw on top of the picture.

mod cursor_highlight;
mod image;
mod picture_in_picture;
mod placing;
mod pointers;
mod ring;
mod text;
mod writing;

pub use cursor_highlight::CursorHighlight;
pub use image::Image;
pub use picture_in_picture::PictureInPicture;
pub use placing::Place;
pub use pointers::Pointers;
pub use text::Text;
