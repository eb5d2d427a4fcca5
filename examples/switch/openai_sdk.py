import base64

from openai import OpenAI

client = OpenAI(
    base_url="http://localhost:8080/v1",
)

result = client.images.generate(model="gpt-image-2", prompt="A fox in the snow")
with open("fox.png", "wb") as file:
    file.write(base64.b64decode(result.data[0].b64_json))
