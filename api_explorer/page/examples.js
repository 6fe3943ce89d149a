// The pair that the API's description sends as its example.
export function exampleFiles(description) {
  const content = description.components.requestBodies.Images.content["application/json"];
  return Object.values(content.examples.similar.value).map((text, index) => {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return new File([bytes], ["cat.jpg", "other.jpg"][index], { type: "image/jpeg" });
  });
}
