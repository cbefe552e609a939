use super::*;
use capstan_coordinator::models::Models;

#[test]
fn the_scripts_are_well_formed_and_each_thread_has_one() {
    let dir = tempfile::tempdir().unwrap();
    let variables = [("CAPSTAN_HOME".to_owned(), dir.path().to_str().unwrap().to_owned())].into();
    let surroundings = Surroundings::new(variables, capstan_types::path::AbsPath::new("/").unwrap());
    let phases = Phases::open(None, &Home::open(&surroundings).unwrap(), &surroundings).unwrap();
    for provider in [phases::BEGIN, "script", phases::CHECK] {
        assert!(phases.client(provider).is_ok(), "{provider}");
    }
    assert!(phases.client("openai").is_err());
}

#[test]
fn the_project_is_written_and_removed() {
    let project = Project::make().unwrap();
    let path = project.path().unwrap();
    assert!(path.as_path().join("words.c").exists());
    drop(project);
    assert!(!path.as_path().exists());
}
