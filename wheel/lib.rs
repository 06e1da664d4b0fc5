//! Both programs of Tamis as one package. The programs are their own crates, `curate` and `train`; nothing is here but their names.
