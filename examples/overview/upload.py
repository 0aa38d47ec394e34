"""An uploaded file: its name, its type and its bytes."""

from cyclone.web import Application, HTTPError, RequestHandler

FORM = """<!DOCTYPE html>
<title>Upload</title>
<form action="/" method="post" enctype="multipart/form-data">
  <input type="file" name="picture">
  <input type="submit" value="Upload">
</form>
"""


class UploadHandler(RequestHandler):
    def get(self) -> None:
        self.write(FORM)

    def post(self) -> None:
        if "picture" not in self.request.files:
            raise HTTPError(400, "no picture")
        picture = self.request.files["picture"][0]
        self.write(
            {
                "filename": picture["filename"],
                "content_type": picture.content_type,
                "size": len(picture.body),
            }
        )


application = Application([(r"/", UploadHandler)])
